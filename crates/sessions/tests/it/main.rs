//! Every driver does the same, alone and under contention; and what each does in trouble.

mod support;

mod conformance;
mod damaged;
mod held;
mod redis;
