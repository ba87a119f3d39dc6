//! Long lists, a part at a time.

use clap::Args as ClapArgs;

/// Which part of a long list.
#[derive(Debug, ClapArgs)]
pub(crate) struct PageArgs {
    /// The most to show.
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) limit: u16,
    /// Where to go on, from an earlier answer.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
}
