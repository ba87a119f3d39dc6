//! HTTP API, pages and console of Tenantry.
