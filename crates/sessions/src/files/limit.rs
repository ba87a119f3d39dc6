//! A person's sessions that are too many.

use tenantry_core::Timestamp;
use tenantry_core::session::{EndReason, Subject};

use super::FileSessions;
use super::place::Place;
use crate::SessionError;
use crate::limit::surplus_of;

impl FileSessions {
    /// Ends all but the `most` that were used last; how many. Nothing leads from a person to sessions that have
    /// ended any more, so that somebody who signs in and out all day costs what is new.
    pub(crate) async fn end_surplus(
        &self,
        subject: &Subject,
        most: u32,
        now: Timestamp,
    ) -> Result<u64, SessionError> {
        let subject = *subject;
        self.run(move |tree| {
            let place = Place::of(subject.scope());
            let lead = place.of_person(subject.person());
            let mut alive = Vec::new();
            for id in tree.led(&lead)? {
                // What leads to a session is there before it is, so one that is not there may begin
                // just now.
                let Some(stored) = tree.read_or_tell(&place.handle(id))? else {
                    continue;
                };
                if stored.session.ended_at.is_some() {
                    tree.forget_lead(&lead, id)?;
                } else if stored.session.is_alive(now) && stored.session.subject == subject {
                    alive.push(stored.session);
                }
            }
            let surplus = surplus_of(alive, most);
            tree.end_these(&place, &surplus, (EndReason::Limit, now), |_| true)
        })
        .await
    }
}
