//! Redis in trouble, and what lies in it.

mod away;
mod keys;
mod tls;
