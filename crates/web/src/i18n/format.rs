//! Times and durations in words. Times are shown in UTC and say so, since the server does not know
//! where a reader is.

use std::time::Duration;

use jiff::tz::TimeZone;
use tenantry_core::{Locale, Timestamp};

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// Day and time, such as `4 May 2026, 14:03 UTC`.
pub fn date_time(locale: Locale, time: Timestamp) -> String {
    civil(time).map_or_else(
        || time.to_string(),
        |at| {
            format!(
                "{}, {:02}:{:02} UTC",
                day(locale, at),
                at.hour(),
                at.minute()
            )
        },
    )
}

/// The day alone, such as `4 May 2026`.
pub fn date(locale: Locale, time: Timestamp) -> String {
    civil(time).map_or_else(|| time.to_string(), |at| day(locale, at))
}

fn civil(time: Timestamp) -> Option<jiff::civil::DateTime> {
    let time = jiff::Timestamp::from_microsecond(time.micros()).ok()?;
    Some(time.to_zoned(TimeZone::UTC).datetime())
}

fn day(locale: Locale, at: jiff::civil::DateTime) -> String {
    let (months, dot) = match locale {
        Locale::En => (MONTHS_EN, ""),
        Locale::De => (MONTHS_DE, "."),
    };
    let month = usize::try_from(at.month() - 1)
        .ok()
        .and_then(|place| months.get(place));
    format!("{}{dot} {} {}", at.day(), month.unwrap_or(&""), at.year())
}

/// How long to wait, rounded up so that waiting that long is enough: seconds up to a minute and a
/// half, minutes up to an hour and a half, then hours. In German the dative plural that follows
/// "in".
pub fn wait(locale: Locale, wait: Duration) -> String {
    let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
    let (number, unit) = if seconds <= 90 {
        (seconds, 0)
    } else if seconds <= 90 * 60 {
        (seconds.div_ceil(60), 1)
    } else {
        (seconds.div_ceil(3600), 2)
    };
    let words = match (locale, number == 1) {
        (Locale::En, true) => ["second", "minute", "hour"],
        (Locale::En, false) => ["seconds", "minutes", "hours"],
        (Locale::De, true) => ["Sekunde", "Minute", "Stunde"],
        (Locale::De, false) => ["Sekunden", "Minuten", "Stunden"],
    };
    format!("{number} {}", words[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_days_as_each_language_does() {
        let time = Timestamp::from_micros(1_772_546_583_000_000);
        assert_eq!(date_time(Locale::En, time), "3 March 2026, 14:03 UTC");
        assert_eq!(date_time(Locale::De, time), "3. März 2026, 14:03 UTC");
        assert_eq!(date(Locale::De, time), "3. März 2026");
        let beyond = Timestamp::from_micros(i64::MAX);
        assert_eq!(date(Locale::En, beyond), beyond.to_string());
    }

    #[test]
    fn rounds_a_wait_up() {
        assert_eq!(wait(Locale::En, Duration::ZERO), "1 second");
        assert_eq!(
            wait(Locale::En, Duration::from_millis(14_001)),
            "15 seconds"
        );
        assert_eq!(wait(Locale::De, Duration::from_secs(91)), "2 Minuten");
        assert_eq!(wait(Locale::En, Duration::from_mins(15)), "15 minutes");
        assert_eq!(wait(Locale::De, Duration::from_hours(24)), "24 Stunden");
    }
}
