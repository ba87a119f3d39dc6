//! Wire types that applications share with Tenantry.
