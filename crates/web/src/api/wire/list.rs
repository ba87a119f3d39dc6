//! Lists, page by page.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_service::Refusal;

use crate::extract::Asked;

/// A page of a list.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ListBody<T> {
    /// The things.
    pub items: Vec<T>,
    /// Where the next page begins; null at the end.
    pub next_cursor: Option<String>,
}

impl<T> ListBody<T> {
    /// A page of `limit` things. Of `things` one more was asked for, which is there where another
    /// page is; `cursor` tells where the page after a thing begins, and `item` how it is shown.
    pub fn page<V>(
        mut things: Vec<V>,
        limit: i64,
        cursor: impl Fn(&V) -> String,
        item: impl Fn(&V) -> T,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = things.len() > limit;
        things.truncate(limit);
        Self {
            items: things.iter().map(item).collect(),
            next_cursor: things.last().filter(|_| more).map(cursor),
        }
    }
}

/// What can be asked of a list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The most things to answer with, 1 to 200.
    #[serde(default)]
    pub limit: Option<i64>,
    /// Where the page begins, from an earlier answer.
    #[serde(default)]
    pub cursor: Option<String>,
    /// The tenant hint, read elsewhere.
    #[serde(default)]
    #[schemars(skip)]
    pub tenant_id: Option<String>,
}

impl Asked for ListQuery {
    const IS: &'static str = "the query has limit and cursor, once each";
}

impl ListQuery {
    /// The most things to answer with: 50 where nothing is asked for.
    pub fn limit(&self) -> Result<i64, Refusal> {
        let limit = self.limit.unwrap_or(50);
        if (1..=200).contains(&limit) {
            return Ok(limit);
        }
        Err(Refusal::field(
            "limit",
            "invalid",
            "limit is a number from 1 to 200",
        ))
    }

    /// Where the page begins; `None` at the beginning of the list.
    pub fn cursor<C: FromStr>(&self) -> Result<Option<C>, Refusal> {
        let cursor = self.cursor.as_deref().map(str::parse).transpose();
        cursor
            .map_err(|_| Refusal::field("cursor", "invalid", "cursor comes from an earlier answer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_one_begins_only_where_there_is_one() {
        let page = |count: usize, limit| {
            let page = ListBody::page((1..=count).collect(), limit, usize::to_string, |n| *n);
            (page.items, page.next_cursor)
        };
        assert_eq!(page(0, 2), (vec![], None));
        assert_eq!(page(2, 2), (vec![1, 2], None));
        assert_eq!(page(3, 2), (vec![1, 2], Some("2".to_owned())));
    }
}
