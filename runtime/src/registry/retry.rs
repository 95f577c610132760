//! When to try again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use super::error::{Failure, RegistryError, Retry};

const FIRST_DELAY: Duration = Duration::from_millis(250);
const LONGEST_DELAY: Duration = Duration::from_secs(20);
/// The longest that a registry may have us wait.
const LONGEST_WISH: Duration = Duration::from_mins(2);
/// The longest wait for another attempt at a place where there is another place.
const LONGEST_HURRIED: Duration = Duration::from_secs(5);

/// The attempts at one thing.
#[derive(Debug)]
pub(super) struct Attempts {
    made: u32,
    retries: u32,
    hurried: bool,
}

impl Attempts {
    /// One attempt, and so many more after transient failures.
    pub(super) fn new(retries: u32) -> Self {
        Self { made: 0, retries, hurried: false }
    }

    /// The same where it can be had elsewhere, if so: then nobody waits long, nor again for who
    /// said nothing.
    pub(super) fn hurried(self, hurried: bool) -> Self {
        Self { hurried, ..self }
    }

    /// After a failed attempt: waits until the next one is due.
    ///
    /// # Errors
    ///
    /// The failure, if there shall be no other attempt.
    pub(super) async fn wait(&mut self, failure: Failure) -> Result<(), RegistryError> {
        self.made += 1;
        match failure.retry {
            Retry::After(wish) if self.made <= self.retries => {
                let delay = delay(self.made, wish);
                if self.hurried && (delay > LONGEST_HURRIED || failure.error.is_silence()) {
                    return Err(failure.error.after(self.made));
                }
                tokio::time::sleep(delay).await;
                Ok(())
            }
            Retry::After(_) | Retry::Never => Err(failure.error.after(self.made)),
        }
    }
}

/// Doubles with each attempt, and differs between builds that were refused at the same moment.
fn delay(made: u32, wish: Option<Duration>) -> Duration {
    let doubled = FIRST_DELAY.saturating_mul(1 << (made - 1).min(16)).min(LONGEST_DELAY);
    // Every hasher has keys of its own: the only randomness that the standard library offers.
    let random = RandomState::new().hash_one(made) % 1000;
    let own = doubled / 2 + doubled.mul_f64(Duration::from_millis(random).as_secs_f64());
    wish.map_or(own, |wish| own.max(wish.min(LONGEST_WISH)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_bound_and_heed_the_registry() {
        for made in 1..100 {
            let delay = delay(made, None);
            assert!(delay >= FIRST_DELAY / 2 && delay <= LONGEST_DELAY * 2, "{made}: {delay:?}");
        }
        assert!(delay(7, None) >= FIRST_DELAY * 32);
        assert_eq!(delay(1, Some(Duration::from_secs(30))), Duration::from_secs(30));
        assert_eq!(delay(1, Some(Duration::from_hours(1))), LONGEST_WISH);
    }

    #[tokio::test]
    async fn attempts_are_counted() {
        let failure = |retry| Failure {
            error: RegistryError::Server {
                verb: "pull",
                object: "x".to_owned(),
                registry: "r".to_owned(),
                status: 503,
                message: String::new(),
                attempts: 1,
            },
            retry,
        };
        let mut attempts = Attempts::new(1);
        attempts.wait(failure(Retry::After(None))).await.unwrap();
        let error = attempts.wait(failure(Retry::After(None))).await.unwrap_err();
        assert!(matches!(error, RegistryError::Server { attempts: 2, .. }));
        let error = Attempts::new(5).wait(failure(Retry::Never)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Server { attempts: 1, .. }));
        let hurried = || Attempts::new(5).hurried(true);
        hurried().wait(failure(Retry::After(None))).await.unwrap();
        let long = Retry::After(Some(LONGEST_WISH));
        hurried().wait(failure(long)).await.unwrap_err();
        let silent = super::super::transport::silent("r", LONGEST_WISH);
        hurried().wait(silent).await.unwrap_err();
    }
}
