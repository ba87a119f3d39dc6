//! Points and spans of time as the texts say them.

use std::time::Duration;

use tenantry_core::Timestamp;

/// A minute in UTC. A person's time zone isn't known when a mail is written, so mails name UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Year.
    pub(crate) year: i16,
    /// Month, 0 to 11, to pick a name from a list.
    pub(crate) month: usize,
    /// Day of the month, from 1.
    pub(crate) day: i8,
    /// Hour, 0 to 23.
    pub(crate) hour: i8,
    /// Minute, 0 to 59.
    pub(crate) minute: i8,
}

impl From<Timestamp> for Moment {
    /// The minute that `time` lies in, so that nothing ends before its mail says so by more than
    /// that minute; a time outside the calendar (years -9999 to 9999) shows as 1970.
    fn from(time: Timestamp) -> Self {
        let time = jiff::Timestamp::from_microsecond(time.micros())
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(jiff::tz::TimeZone::UTC);
        Self {
            year: time.year(),
            month: usize::try_from(time.month() - 1).unwrap_or(0),
            day: time.day(),
            hour: time.hour(),
            minute: time.minute(),
        }
    }
}

/// A span of time in the largest unit that loses nothing a reader would miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// Up to two hours, and whatever is no whole hour.
    Minutes(u64),
    /// Whole hours up to two days.
    Hours(u64),
    /// Whole days.
    Days(u64),
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        let minutes = (duration.as_secs() / 60).max(1);
        match minutes {
            minutes if minutes <= 120 || minutes % 60 != 0 => Self::Minutes(minutes),
            minutes if minutes <= 48 * 60 || minutes % (24 * 60) != 0 => Self::Hours(minutes / 60),
            minutes => Self::Days(minutes / (24 * 60)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_minute_in_utc() {
        let moment = Moment::from(Timestamp::from_micros(1_767_225_659_999_999));
        assert_eq!(
            moment,
            Moment {
                year: 2026,
                month: 0,
                day: 1,
                hour: 0,
                minute: 0
            }
        );
        assert_eq!(Moment::from(Timestamp::from_micros(i64::MAX)).year, 1970);
    }

    #[test]
    fn spans_read_like_people_say_them() {
        assert_eq!(Span::from(Duration::ZERO), Span::Minutes(1));
        assert_eq!(Span::from(Duration::from_mins(10)), Span::Minutes(10));
        assert_eq!(Span::from(Duration::from_hours(1)), Span::Minutes(60));
        assert_eq!(Span::from(Duration::from_mins(150)), Span::Minutes(150));
        assert_eq!(Span::from(Duration::from_hours(24)), Span::Hours(24));
        assert_eq!(Span::from(Duration::from_hours(24 * 7)), Span::Days(7));
    }
}
