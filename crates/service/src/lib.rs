//! The use cases of Tenantry.
