//! Tests over every sample of every page.
