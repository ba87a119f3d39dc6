//! The durable workflow engine of Tenantry.
