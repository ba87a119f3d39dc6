//! Tenants and their people, for SaaS products.
fn main() {}
