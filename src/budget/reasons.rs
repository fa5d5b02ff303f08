//! Why methods take differently long, in words.

use super::estimate::{RunEstimate, RunWork};

/// Factors below which two times are called alike.
const ALIKE: f64 = 1.1;

/// A sentence for each experiment that takes longer than the quickest, and one on what a run makes for others; nothing where all take
/// equally long. Runs that are partly done are left out: they are quicker for another reason.
pub fn reasons(runs: &[RunEstimate]) -> Vec<String> {
    let mut kinds: Vec<(&str, RunWork)> = Vec::new();
    for run in runs {
        let Some(work) = run.work.filter(|_| run.status == crate::run::Status::Queued) else { continue };
        if kinds.iter().all(|(experiment, _)| *experiment != run.experiment) {
            kinds.push((&run.experiment, work));
        }
    }
    let own = |work: &RunWork| work.seconds() - work.shared_seconds;
    let Some(&(quickest, least)) = kinds.iter().min_by(|(_, a), (_, b)| own(a).total_cmp(&own(b))) else {
        return Vec::new();
    };
    let slower = kinds.iter().filter(|(_, work)| own(work) > ALIKE * own(&least));
    let sentences = slower.map(|(experiment, work)| {
        let factor = factor(own(work), own(&least))
            .map(|factor| format!("{factor} as long as"))
            .unwrap_or_else(|| "longer than".to_owned());
        format!("{experiment} takes {factor} {quickest}: {}", why(work, &least))
    });
    let makes_shared = kinds.iter().find(|(_, work)| work.shared_seconds > own(work) / 10.0);
    let shared = makes_shared.map(|(experiment, _)| {
        format!("{experiment} comes first and also trains what the runs of its seed share: base model and stage 1")
    });
    sentences.chain(shared).collect()
}

/// What one run does that another does not, or does longer.
fn why(work: &RunWork, least: &RunWork) -> String {
    let each = |seconds: f64, count: u64| if count > 0 { seconds / count as f64 } else { 0.0 };
    let parts = [
        (work.examples > 0 && least.examples == 0)
            .then(|| format!("it trains on {} examples, the other on none", work.examples)),
        factor(work.examples as f64, least.examples as f64).map(|factor| format!("it trains on {factor} the examples")),
        factor(each(work.train_seconds, work.examples), each(least.train_seconds, least.examples))
            .map(|factor| format!("an example takes {factor} the time")),
        factor(work.tests as f64, least.tests as f64).map(|factor| format!("it has {factor} the tests")),
        factor(each(work.test_seconds, work.tests), each(least.test_seconds, least.tests))
            .map(|factor| format!("a test takes {factor} the time")),
        (work.beside_seconds > least.beside_seconds + 1.0)
            .then(|| "it looks at examples between the stages".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "a little of each part".to_owned() } else { parts.join(", ") }
}

/// `1.4 times`, where one is larger than the other by enough to be told.
fn factor(one: f64, other: f64) -> Option<String> {
    (other > 0.0 && one > ALIKE * other).then(|| format!("{:.1} times", one / other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::estimate::Basis;
    use crate::run::Status;

    fn run(experiment: &str, status: Status, work: RunWork) -> RunEstimate {
        RunEstimate {
            run: String::new(),
            experiment: experiment.to_owned(),
            method: String::new(),
            seed: 1,
            status,
            seconds: Some(work.seconds()),
            peak_memory_bytes: None,
            basis: Basis::FinishedRuns,
            work: Some(work),
        }
    }

    #[test]
    fn a_method_that_takes_longer_says_why() {
        let single = RunWork { examples: 100, train_seconds: 10.0, tests: 50, test_seconds: 5.0, ..RunWork::default() };
        // Twice the examples, each 1.5 times as long: 30 s and 5 s of tests against 15 s.
        let replay = RunWork { examples: 200, train_seconds: 30.0, ..single };
        let frozen = RunWork { examples: 0, train_seconds: 0.0, ..single };
        let queued = |name, work| run(name, Status::Queued, work);
        assert_eq!(
            reasons(&[queued("Single", single), queued("Replay", replay)]),
            [
                "Replay takes 2.3 times as long as Single: it trains on 2.0 times the examples, an example takes 1.5 times the time"
            ]
        );
        assert_eq!(
            reasons(&[queued("Frozen", frozen), queued("Single", single)]),
            ["Single takes 3.0 times as long as Frozen: it trains on 100 examples, the other on none"]
        );
        assert!(reasons(&[queued("Single", single), queued("Again", single)]).is_empty());
        assert!(reasons(&[run("Frozen", Status::Stopped, frozen), queued("Single", single)]).is_empty(), "partly done");
    }

    #[test]
    fn who_comes_first_also_makes_what_the_others_share() {
        let work = RunWork { examples: 100, train_seconds: 10.0, ..RunWork::default() };
        let first = RunWork { shared_seconds: 40.0, ..work };
        let found = reasons(&[run("PESO", Status::Queued, first), run("Single", Status::Queued, work)]);
        assert_eq!(found, ["PESO comes first and also trains what the runs of its seed share: base model and stage 1"]);
    }
}
