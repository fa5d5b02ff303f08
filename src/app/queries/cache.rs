//! Answers that are known, and queries that are being computed.

use std::sync::Arc;

use super::{Answer, AnyAnswer, Query, QueryContext, Request};
use crate::app::launcher::{JobHandle, JobProgress, Launcher};
use crate::error::InputError;

/// What came of a query; none where it was cancelled.
pub(crate) type Outcome = Result<Option<AnyAnswer>, InputError>;

/// The answers of all queries of a project.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    /// The newest last.
    known: Vec<(Request, Outcome)>,
    running: Vec<Job>,
    /// Jobs that were begun, which numbers them.
    begun: u64,
}

/// A query that is being computed. What is shared with the thread that computes it is cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    number: u64,
    request: Request,
    handle: Arc<JobHandle>,
}

impl Job {
    /// Tells this job from all others of the session.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// Computes the answer.
    pub(crate) fn compute(&self, launcher: &dyn Launcher) -> Outcome {
        self.request.answer(&QueryContext { launcher, job: &self.handle })
    }
}

impl Queries {
    /// Where a query stands.
    pub(crate) fn get<Q: Query>(&self, query: &Q) -> Answer<'_, Q::Answer> {
        match self.known.iter().find(|(known, _)| known.is(query)) {
            None => Answer::Pending,
            Some((_, Err(error))) => Answer::Failed(error),
            Some((_, Ok(None))) => Answer::Cancelled,
            // An answer has the type that its query says: both come from one `Query`.
            Some((_, Ok(Some(answer)))) => answer.downcast_ref().map_or(Answer::Pending, Answer::Ready),
        }
    }

    /// The newest answer to a query that this one [follows](Query::follows).
    pub(crate) fn earlier<Q: Query>(&self, query: &Q) -> Option<&Q::Answer> {
        let followed =
            self.known.iter().rev().filter(|(known, _)| known.query::<Q>().is_some_and(|q| query.follows(q)));
        followed.filter_map(|(_, outcome)| outcome.as_ref().ok()?.as_ref()?.downcast_ref()).next()
    }

    /// Whether the query is being computed, or has an answer.
    pub(crate) fn was_requested<Q: Query>(&self, query: &Q) -> bool {
        self.running.iter().any(|job| job.request.is(query)) || self.known.iter().any(|(known, _)| known.is(query))
    }

    /// How far a query is that is being computed.
    pub(crate) fn progress<Q: Query>(&self, query: &Q) -> JobProgress {
        let job = self.running.iter().find(|job| job.request.is(query));
        job.map(|job| job.handle.progress()).unwrap_or_default()
    }

    /// The job to compute a query now; none where its answer is known, where it is being computed, and where enough others are.
    pub(crate) fn begin(&mut self, request: &Request) -> Option<Job> {
        self.supersede(request);
        let known = self.known.iter().any(|(known, _)| known == request);
        let full = self.running_beside(request) >= request.kind().pool.max_running();
        if known || full || self.is_running(request) { None } else { Some(self.run(request)) }
    }

    /// As [`Self::begin`], of what may have changed since it was computed: the old answer stays until the new one is there.
    /// One more than usual may run, since nobody sees that this one waits.
    pub(crate) fn renew(&mut self, request: &Request) -> Option<Job> {
        let full = self.running_beside(request) > request.kind().pool.max_running();
        if full || self.is_running(request) { None } else { Some(self.run(request)) }
    }

    fn run(&mut self, request: &Request) -> Job {
        self.begun += 1;
        let job = Job { number: self.begun, request: request.clone(), handle: Arc::default() };
        self.running.push(job.clone());
        job
    }

    fn is_running(&self, request: &Request) -> bool {
        self.running.iter().any(|job| job.request == *request)
    }

    /// Number of jobs that run in the pool of a query.
    fn running_beside(&self, request: &Request) -> usize {
        self.running.iter().filter(|job| job.request.kind().pool == request.kind().pool).count()
    }

    /// Gives up other queries of the kind whose place this one takes.
    fn supersede(&mut self, request: &Request) {
        let kind = request.kind();
        let superseded = |job: &mut Job| kind.supersedes && job.request.kind() == kind && job.request != *request;
        self.running.extract_if(.., superseded).for_each(|job| job.handle.cancel());
    }

    /// Tells the job of a query that nobody waits for its answer.
    pub(crate) fn cancel(&self, request: &Request) {
        self.running.iter().filter(|job| job.request == *request).for_each(|job| job.handle.cancel());
    }

    /// Takes in what came of a job. Of one whose place another query took nobody wants to know.
    pub(crate) fn finish(&mut self, job: u64, outcome: Outcome) {
        if let Some(index) = self.running.iter().position(|running| running.number == job) {
            let request = self.running.swap_remove(index).request;
            self.keep(request, outcome);
        }
    }

    fn keep(&mut self, request: Request, outcome: Outcome) {
        let kind = request.kind();
        self.known.retain(|(known, _)| *known != request);
        self.known.push((request, outcome));
        self.evict(kind.max_kept, |(known, outcome)| known.kind() == kind && matches!(outcome, Ok(Some(_))));
        self.evict(kind.pool.max_kept(), |(known, _)| known.kind().pool == kind.pool);
    }

    /// Drops the oldest of some answers, so that at most `max` of them are kept.
    fn evict(&mut self, max: usize, concerns: impl Fn(&(Request, Outcome)) -> bool) {
        let mut surplus = self.known.iter().filter(|known| concerns(known)).count().saturating_sub(max);
        self.known.retain(|known| {
            let dropped = surplus > 0 && concerns(known);
            surplus -= usize::from(dropped);
            !dropped
        });
    }

    /// Forgets what failed or was cancelled, so that it is computed again.
    pub(crate) fn retry(&mut self, request: &Request) {
        self.known.retain(|(known, outcome)| known != request || matches!(outcome, Ok(Some(_))));
    }
}

impl Drop for Queries {
    fn drop(&mut self) {
        // The project is closed: nobody waits any more.
        self.running.iter().for_each(|job| job.handle.cancel());
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::ffi::OsString;
    use std::path::Path;
    use std::sync::mpsc::Receiver;

    use super::super::Pool;
    use super::*;
    use crate::app::launcher::{Ended, EstimateRequest};
    use crate::budget::estimate::Estimate;

    /// A query of numbers that another of its kind does not disturb.
    #[derive(Debug, Clone, PartialEq)]
    struct Square(u64);

    impl Query for Square {
        type Answer = u64;

        fn answer(&self, _: &QueryContext<'_>) -> Result<Option<u64>, InputError> {
            Ok(Some(self.0 * self.0))
        }
    }

    /// Another kind with the same numbers, large and superseding.
    #[derive(Debug, Clone, PartialEq)]
    struct Table(u64);

    impl Query for Table {
        type Answer = String;

        const MAX_KEPT: usize = 3;
        const SUPERSEDES: bool = true;

        fn answer(&self, _: &QueryContext<'_>) -> Result<Option<String>, InputError> {
            Ok(Some(self.0.to_string()))
        }
    }

    /// A third in a pool of its own.
    #[derive(Debug, Clone, PartialEq)]
    struct Verdict(u64);

    impl Query for Verdict {
        type Answer = ();

        const POOL: Pool = Pool::Verdicts;

        fn answer(&self, _: &QueryContext<'_>) -> Result<Option<()>, InputError> {
            Ok(Some(()))
        }
    }

    /// A fourth, of something that grows.
    #[derive(Debug, Clone, PartialEq)]
    struct Grown(u64);

    impl Query for Grown {
        type Answer = u64;

        fn follows(&self, earlier: &Self) -> bool {
            self.0 > earlier.0
        }

        fn answer(&self, _: &QueryContext<'_>) -> Result<Option<u64>, InputError> {
            Ok(Some(self.0))
        }
    }

    fn begin<Q: Query>(queries: &mut Queries, query: &Q) -> Option<Job> {
        queries.begin(&Request::new(query))
    }

    /// Starts nothing.
    struct NoProcess;

    impl Launcher for NoProcess {
        fn run(&self, _: &Path) -> Result<Ended, InputError> {
            Err(InputError::new("", "no process"))
        }

        fn estimate(&self, _: &EstimateRequest) -> Result<Option<Estimate>, InputError> {
            Err(InputError::new("", "no process"))
        }

        fn compute(&self, _: &[OsString], _: &JobHandle) -> Result<Ended, InputError> {
            Err(InputError::new("", "no process"))
        }

        fn converse(
            &self,
            _: &[OsString],
            _: Receiver<String>,
            _: &JobHandle,
            _: &(dyn Fn(String) + Sync),
        ) -> Result<Ended, InputError> {
            Err(InputError::new("", "no process"))
        }
    }

    /// Calls a test with what queries are computed with where they start no process.
    pub(in super::super) fn without_processes(test: impl FnOnce(&QueryContext<'_>)) {
        test(&QueryContext { launcher: &NoProcess, job: &JobHandle::default() });
    }

    /// Has a query computed on this thread.
    fn compute<Q: Query>(queries: &mut Queries, query: &Q) {
        let job = begin(queries, query).unwrap();
        let outcome = job.compute(&NoProcess);
        queries.finish(job.number(), outcome);
    }

    #[test]
    fn queries_of_two_kinds_have_answers_of_their_own_types() {
        let mut queries = Queries::default();
        compute(&mut queries, &Square(7));
        assert!(matches!(queries.get(&Table(7)), Answer::Pending), "the same number, another query");
        compute(&mut queries, &Table(7));
        assert_eq!(queries.get(&Square(7)).ready(), Some(&49));
        assert_eq!(queries.get(&Table(7)).ready().map(String::as_str), Some("7"));
    }

    #[test]
    fn what_went_on_is_shown_as_it_was_until_there_is_more() {
        let mut queries = Queries::default();
        assert_eq!(queries.earlier(&Grown(3)), None);
        compute(&mut queries, &Grown(1));
        compute(&mut queries, &Grown(2));
        compute(&mut queries, &Square(2));
        assert_eq!(queries.earlier(&Grown(3)), Some(&2), "the newest");
        assert_eq!(queries.earlier(&Grown(1)), None, "what came later is not what it was");
        assert_eq!(queries.earlier(&Square(3)), None, "numbers do not go on");
    }

    #[test]
    fn few_at_a_time_and_none_twice() {
        let mut queries = Queries::default();
        let first = begin(&mut queries, &Square(1)).unwrap();
        let second = begin(&mut queries, &Square(2)).unwrap();
        assert!(begin(&mut queries, &Square(1)).is_none() && begin(&mut queries, &Square(3)).is_none(), "two run");
        assert!(begin(&mut queries, &Verdict(1)).is_some(), "another pool");
        assert!(begin(&mut queries, &Verdict(2)).is_none(), "the second of that pool waits");
        queries.finish(first.number(), Err(InputError::new("runs/a", "gone")));
        assert!(begin(&mut queries, &Square(1)).is_none(), "it is known");
        assert!(matches!(queries.get(&Square(1)), Answer::Failed(_)));
        assert!(matches!(queries.get(&Square(2)), Answer::Pending));
        queries.retry(&Request::new(&Square(1)));
        let again = begin(&mut queries, &Square(1)).unwrap();
        again.handle.say("half of it");
        assert_eq!(queries.progress(&Square(1)).words, "half of it");
        queries.cancel(&Request::new(&Square(1)));
        assert!(again.handle.is_cancelled());
        assert!(queries.was_requested(&Square(1)) && !queries.was_requested(&Square(9)));
        queries.finish(again.number(), Ok(None));
        assert!(matches!(queries.get(&Square(1)), Answer::Cancelled));
        drop(queries);
        assert!(second.handle.is_cancelled(), "nobody waits for a project that is closed");
    }

    #[test]
    fn the_oldest_answers_are_dropped_pool_by_pool() {
        let mut queries = Queries::default();
        compute(&mut queries, &Verdict(0));
        (0..60).for_each(|number| compute(&mut queries, &Square(number)));
        let kept = (0..60).filter(|&number| queries.was_requested(&Square(number))).count();
        assert_eq!(kept, Pool::General.max_kept());
        assert!(queries.was_requested(&Square(59)) && queries.was_requested(&Verdict(0)));
        (1..40).for_each(|number| compute(&mut queries, &Verdict(number)));
        let kept = (0..40).filter(|&number| queries.was_requested(&Verdict(number))).count();
        assert_eq!(kept, Pool::Verdicts.max_kept());
    }

    #[test]
    fn few_of_a_large_kind_are_kept() {
        let mut queries = Queries::default();
        compute(&mut queries, &Square(1));
        (0..5).for_each(|number| compute(&mut queries, &Table(number)));
        let kept = |number| queries.was_requested(&Table(number));
        assert_eq!([0, 1, 2, 3, 4].map(kept), [false, false, true, true, true]);
        assert!(queries.was_requested(&Square(1)), "others do not make room for them");
    }

    #[test]
    fn what_is_renewed_is_there_all_the_while() {
        let mut queries = Queries::default();
        compute(&mut queries, &Square(3));
        let renewal = queries.renew(&Request::new(&Square(3))).unwrap();
        assert!(queries.renew(&Request::new(&Square(3))).is_none(), "it is being computed");
        assert_eq!(queries.get(&Square(3)).ready(), Some(&9));
        queries.finish(renewal.number(), Ok(Some(Box::new(10_u64))));
        assert_eq!(queries.get(&Square(3)).ready(), Some(&10));
        assert_eq!((queries.known.len(), queries.running.len()), (1, 0));
    }

    #[test]
    fn a_query_takes_the_place_of_one_of_its_kind() {
        let mut queries = Queries::default();
        let first = begin(&mut queries, &Table(1)).unwrap();
        let other = begin(&mut queries, &Square(1)).unwrap();
        assert!(begin(&mut queries, &Table(2)).is_some(), "it has the place of the first");
        assert!(first.handle.is_cancelled() && !other.handle.is_cancelled());
        queries.finish(first.number(), Ok(None));
        assert!(matches!(queries.get(&Table(1)), Answer::Pending), "nobody cancelled it");
        assert!(queries.was_requested(&Table(2)));
    }
}
