//! What the tests of Tenantry share.
