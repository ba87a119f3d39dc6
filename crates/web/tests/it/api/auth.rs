//! `/api/v1/auth`

mod login;
mod logout;
mod me;
mod profile;
mod recovery;
mod refresh;
mod register;
mod select;
mod sessions;
