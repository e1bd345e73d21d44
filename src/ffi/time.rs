//! The time of day, which certificates depend on and nothing else.

use std::time::SystemTime;

/// Seconds since 1970; 0 by a clock that is set to an earlier time.
pub fn time_of_day() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
