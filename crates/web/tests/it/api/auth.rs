//! `/api/v1/auth`

mod login;
mod logout;
mod me;
mod refresh;
mod select;
mod sessions;
