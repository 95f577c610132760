//! Dates of HTTP headers (RFC 9110, 5.6.7): the one form in use and the two obsolete ones.

use crate::layer::entry::Time;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a date. None if it is none.
///
/// Years of two digits are within 1970 to 2069.
pub(super) fn parse(text: &str) -> Option<Time> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let (year, month, day, clock) = match words[..] {
        // Sun, 06 Nov 1994 08:49:37 GMT, or Sun Nov  6 08:49:37 1994
        [_, day, month, year, clock, "GMT"] | [_, month, day, clock, year] => {
            (number(year, 4)?, month, day, clock)
        }
        // Sunday, 06-Nov-94 08:49:37 GMT
        [_, date, clock, "GMT"] => {
            let mut parts = date.split('-');
            let (day, month, year) = (parts.next()?, parts.next()?, number(parts.next()?, 2)?);
            if parts.next().is_some() {
                return None;
            }
            (if year < 70 { year + 2000 } else { year + 1900 }, month, day, clock)
        }
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let day = number(day, 2)?;
    let [hour, minute, second] = clock_numbers(clock)?;
    // A leap second is written as 60.
    let in_range =
        (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60 && year >= 1601;
    let month = i64::try_from(month).ok()? + 1;
    in_range.then(|| Time {
        seconds: days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second,
        nanoseconds: 0,
    })
}

fn clock_numbers(clock: &str) -> Option<[i64; 3]> {
    let mut parts = clock.split(':');
    let numbers = [number(parts.next()?, 2)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?];
    parts.next().is_none().then_some(numbers)
}

fn number(text: &str, most_digits: usize) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && text.len() <= most_digits { text.parse().ok() } else { None }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
///
/// Counted in years that begin in March, so that the leap day is a year's last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let before_1970 = 719_469;
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - before_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<i64> {
        parse(text).map(|time| time.seconds)
    }

    #[test]
    fn every_form_is_read() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(seconds(text), Some(784_111_777), "{text}");
        }
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800),
            ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Tuesday, 19-Jan-38 03:14:08 GMT", 2_147_483_648),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "yesterday",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
