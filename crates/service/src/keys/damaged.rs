//! Values that do not open, as an operator is told of them: what they are, how many, and what he does.

use tenantry_store::control::SealedColumn;

/// Values of one kind that do not open and were left as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedValues {
    /// The table they lie in; the log names the row of each.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// How many, at least one.
    pub count: usize,
    /// What an operator does about them.
    pub remedy: &'static str,
}

impl DamagedValues {
    /// So many of a column; `None` for none.
    pub(super) fn of(column: SealedColumn, count: usize) -> Option<Self> {
        let remedy = match column {
            SealedColumn::KeyCheck => {
                "restore the control database from a backup before the next start, which fails without it"
            }
            SealedColumn::SigningSeed => {
                "take the key out with `tenantry key rotate --signing --now`"
            }
            SealedColumn::ClusterUrl => {
                "set TENANTRY_CLUSTER_URL and start anew, where the cluster is `default`; else restore the control database from a backup, or remove the cluster and add it anew"
            }
            SealedColumn::ClusterShared => "restore the control database from a backup",
            SealedColumn::Credential => {
                "`tenantry tenant check` says whose it is and what makes a new one"
            }
            SealedColumn::WebhookSecret => "remove the webhook and add it anew",
            SealedColumn::Notice | SealedColumn::Mail => {
                "nothing: it can't be sent any more, and goes a week after it was given up"
            }
            SealedColumn::Applicant => "reject the application; whoever asked may ask anew",
            SealedColumn::Report => {
                "nothing: the report on an adoption is lost, and goes with its tenant"
            }
            SealedColumn::Answer => "nothing: it goes within a day",
        };
        let (table, column) = column.name();
        (count > 0).then_some(Self {
            table,
            column,
            count,
            remedy,
        })
    }

    /// So many owners in the plans of unfinished workflows; `None` for none.
    pub(super) fn in_plans(count: usize) -> Option<Self> {
        (count > 0).then_some(Self {
            table: "workflows",
            column: "params",
            count,
            remedy: "see the run with `tenantry workflow list`: without its owner it can't be finished, and the tenant is to be made anew",
        })
    }
}
