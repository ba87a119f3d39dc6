//! Control and tenant databases of Tenantry.
