//! A verdict in one sentence for those who decide and do not compute.

use super::comparison::Judged;
use crate::measure::statistics::{Aim, Comparison, Evidence, Needed, Verdict};
use crate::text::about;

/// What can be said of `name` against the baseline; nothing of the baseline itself.
pub fn sentence(name: &str, baseline: &str, judged: &Judged) -> Option<String> {
    match judged {
        Judged::Baseline => None,
        Judged::Incomparable(reason) => Some(format!("{name} cannot be compared with {baseline}: {reason}")),
        Judged::Verdict(verdict) => Some(of_verdict(name, baseline, verdict)),
    }
}

/// The same of a verdict.
pub fn of_verdict(name: &str, baseline: &str, verdict: &Verdict) -> String {
    let Comparison { gain, .. } = verdict.comparison;
    match verdict.evidence {
        Evidence::Significant => {
            let what = if gain > 0.0 { "better" } else { "worse" };
            format!("{name} is {what} than {baseline} by {}", size(verdict))
        }
        Evidence::NotSignificant => format!("{name} cannot be told from {baseline}{}", more(verdict)),
        Evidence::NotEnoughSeeds { .. } => format!(
            "One seed cannot tell {name} from {baseline}: another seed might give another sign; run at least three"
        ),
        Evidence::IdenticalSeeds => format!(
            "{name} cannot be told from {baseline}: all seeds give the same difference, as copies of one run do"
        ),
    }
}

/// `8.1 % (95 % interval 5.0 to 11 %)`, without a sign: what it is of says whether it is more or less.
fn size(verdict: &Verdict) -> String {
    let Comparison { gain, baseline, .. } = verdict.comparison;
    let interval = verdict.interval();
    // Of a loss the ends change places with their signs.
    let [low, high] = if gain > 0.0 { [interval.low, interval.high] } else { [-interval.high, -interval.low] };
    if baseline > 0.0 {
        let share = |value: f64| significant(100.0 * value / baseline);
        format!("{} % (95 % interval {} to {} %)", share(gain.abs()), share(low), share(high))
    } else {
        let value = |value: f64| format!("{value:.4}");
        format!("{} (95 % interval {} to {})", value(gain.abs()), value(low), value(high))
    }
}

/// What would tell them apart.
fn more(verdict: &Verdict) -> String {
    let Comparison { gain, uncertainty, users, users_needed, seeds, .. } = verdict.comparison;
    let what = if gain < 0.0 { "a loss" } else { "a gain" };
    let needed = Aim::default().needed(gain, &uncertainty, users, verdict.interval().level);
    match (needed, users_needed) {
        (Some(Needed::Seeds(seeds)), _) => format!("; {} seeds would find {what} of this size", about(seeds)),
        (Some(Needed::Users(users)), _) => {
            format!("; more seeds alone would not find {what} of this size, {} test cases would", about(users))
        }
        (Some(Needed::UsersAndSeeds(users)), _) => format!(
            "; more seeds alone would not find {what} of this size, {} test cases with many more seeds would",
            about(users)
        ),
        // Two that only count have no seeds.
        (None, Some(users)) if seeds == 0 => format!("; {} test cases would find {what} of this size", about(users)),
        (None, _) => ": the two do as well on these tests".to_owned(),
    }
}

/// Two significant digits of a percentage.
fn significant(value: f64) -> String {
    match value.abs() {
        size if size >= 9.95 => format!("{value:.0}"),
        size if size >= 0.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::statistics::{Bootstrap, Paired};

    /// `seeds` seeds of a method that hits `hits` of 1000 users and one more under each further seed, against one that hits
    /// 100 of the same.
    fn verdict(seeds: usize, hits: usize, step: usize) -> Verdict {
        let of = |end: usize| (0..1000).map(|user| f64::from(u8::from(user < end))).collect::<Vec<f64>>();
        let a: Vec<Vec<f64>> = (0..seeds).map(|seed| of(hits + step * seed)).collect();
        let paired = Paired::of_one_stage(&a, &vec![of(100); seeds]).unwrap();
        let bootstrap = Bootstrap { resamples: 100, ..Bootstrap::new(1) };
        Verdict::of_family(&[Comparison::of(&paired, &bootstrap, &Aim::default()).unwrap()], 0.05)[0]
    }

    fn said(verdict: &Verdict) -> String {
        of_verdict("PESO", "Single", verdict)
    }

    #[test]
    fn what_is_sure_is_said_with_its_interval() {
        let found = verdict(3, 140, 1);
        let [low, high] = [found.interval().low, found.interval().high].map(|end| format!("{:.0}", 1000.0 * end));
        assert_eq!(said(&found), format!("PESO is better than Single by 41 % (95 % interval {low} to {high} %)"));
        let worse = verdict(3, 60, 1);
        assert_eq!(worse.evidence, Evidence::Significant);
        assert!(said(&worse).starts_with("PESO is worse than Single by 39 % (95 % interval 2"), "{}", said(&worse));
    }

    #[test]
    fn what_is_open_is_said_with_what_would_find_it() {
        let seeds = verdict(3, 101, 40);
        assert_eq!(seeds.evidence, Evidence::NotSignificant);
        assert!(
            said(&seeds).starts_with("PESO cannot be told from Single; ")
                && said(&seeds).ends_with(" seeds would find a gain of this size"),
            "{}",
            said(&seeds)
        );
        let users = verdict(3, 101, 1);
        assert!(
            said(&users).contains("more seeds alone would not find a gain of this size, about "),
            "{}",
            said(&users)
        );
        assert!(said(&verdict(1, 200, 0)).starts_with("One seed cannot tell PESO from Single"));
        assert!(said(&verdict(3, 200, 0)).contains("copies of one run"));
    }

    #[test]
    fn numbers_are_said_as_people_say_them() {
        assert_eq!([8.14, 11.2, 0.514].map(significant), ["8.1", "11", "0.51"]);
    }
}
