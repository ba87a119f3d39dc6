//! What nobody should send, and somebody will. Nothing of it may answer 500, tell what is inside, or
//! leave anything half-done.

mod bodies;
mod octets;
mod paths;
mod values;
