//! A certificate for lambda: under which pulls users lose little against the baseline, with a confidence that holds for any number
//! of users.
//!
//! The grid are the experiments of a project that differ in lambda alone. A user's loss is the baseline's metric less the method's, as a
//! mean over the user's tests and the seeds: users are independent, the tests of one are not. Half of the users, by a fixed
//! draw, order the grid; the other half, which chose nothing, certifies ([`certify`]).

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::paired_scores::{AllScores, Selection, UserScores, all_scores, basis_of};
use super::seeds::SeedChoice;
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::statistics::{BoundedLosses, Claim, SettingLosses, certify};
use crate::measure::{Slice, Slices, UserMetric};
use crate::method::MethodOptions;
use crate::project::Project;
use crate::project::sweep::Variant;
use crate::run::{RunConfig, RunMethod};
use crate::schema::Setting;
use crate::seeds;
use crate::text::counted;

/// What is to be certified.
#[derive(Debug, Clone, PartialEq)]
pub struct CertificateRequest {
    /// Only the tests of this slice; all where there is none.
    pub slice: Option<Slice>,
    pub claim: Claim,
    pub metric: UserMetric,
    pub protocol: Protocol,
    /// Name of the line that losses are against; the method without any pull where none is named.
    pub baseline: Option<String>,
    /// Name of an experiment of the grid; of several grids the one with the most values of lambda where none is named.
    pub experiment: Option<String>,
}

/// The limit and confidence that are asked for where nothing else is.
pub const USUAL_CLAIM: Claim = Claim { loss: 0.02, confidence: 0.9 };

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoCertificate {
    /// No two experiments differ in lambda alone.
    #[error(transparent)]
    NoGrid(InputError),
    /// Runs, or tests, that it needs are not there; nothing is wrong with those that are.
    #[error(transparent)]
    Missing(InputError),
    /// Something cannot be read.
    #[error(transparent)]
    Unreadable(#[from] InputError),
}

impl From<NoCertificate> for InputError {
    fn from(why: NoCertificate) -> Self {
        let (NoCertificate::NoGrid(error) | NoCertificate::Missing(error) | NoCertificate::Unreadable(error)) = why;
        error
    }
}

/// What could be certified.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Certificate {
    pub project: String,
    pub protocol: Protocol,
    pub synthetic: bool,
    pub metric: String,
    pub baseline: String,
    pub slice: Option<Slice>,
    /// The limit: the mean loss of users, between -1 and 1.
    pub loss: f64,
    pub confidence: f64,
    /// Seeds that losses are means over.
    pub seeds: Vec<u64>,
    /// Users who decide which lambda is tested first, and users who certify.
    pub ordering_users: usize,
    pub certifying_users: usize,
    /// Certifying users below whom nothing can be certified, even where nobody loses anything; none of a limit at or below 0.
    pub fewest_users: Option<usize>,
    /// By rising lambda.
    pub lambdas: Vec<CertifiedLambda>,
    /// Experiments of the grid without a finished run.
    pub missing: Vec<String>,
}

/// One value of lambda.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CertifiedLambda {
    pub experiment: String,
    pub lambda: f64,
    /// Over the certifying users.
    pub mean_loss: f64,
    /// What the mean loss of all users stays below with the confidence, of this lambda alone.
    pub upper_bound: f64,
    pub p_value: f64,
    /// When it was tested, from 1; none after one that failed.
    pub tested: Option<usize>,
    pub certified: bool,
}

/// An experiment of the grid.
#[derive(Debug, Clone, PartialEq)]
struct GridPoint {
    name: String,
    lambda: f64,
}

impl Certificate {
    /// Reads the runs of a project and certifies its grid of lambda.
    ///
    /// This reads every user's outcome: it takes from a part of a second to many.
    ///
    /// # Errors
    /// Those of [`user_scores`](super::paired_scores::user_scores). Missing are two values of lambda, a finished run of the grid or the
    /// baseline, or two users of the slice in a half.
    pub fn of_project(project: &Project, runs_dir: &Path, request: &CertificateRequest) -> Result<Self, NoCertificate> {
        let grid = grid_of(project, request.experiment.as_deref())?.ok_or_else(|| no_grid(project))?;
        let &CertificateRequest { slice, claim, metric, protocol, .. } = request;
        let selection = Selection { metric, protocol, slice: None, seeds: SeedChoice::Shared };
        let AllScores { lines, slices, cases } = all_scores(project, runs_dir, selection)?;
        let baseline = baseline_of(project, runs_dir, &lines, request.baseline.as_deref())?;
        let tests = Tests { users: cases.iter().flatten().map(|&(user, _)| user).collect(), slices: &slices, slice };
        let (mut points, mut losses, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for point in grid {
            match lines.iter().find(|line| line.name == point.name) {
                None => missing.push(point.name),
                Some(line) => {
                    losses.push(tests.losses(baseline, line).map_err(|problem| cannot(runs_dir, &problem))?);
                    points.push(point);
                }
            }
        }
        let Some(users) = losses.first() else {
            let error = InputError::new(runs_dir, "no run with a lambda of the grid is finished");
            return Err(NoCertificate::Missing(error.advice("`peso run` trains the points of the sweep")));
        };
        let found = certify(&losses, claim).map_err(|problem| cannot(runs_dir, &problem.to_string()))?;
        let (ordering_users, certifying_users) = (users.ordering.users(), users.certifying.users());
        let certified = points.into_iter().zip(found).map(|(point, found)| CertifiedLambda {
            experiment: point.name,
            lambda: point.lambda,
            mean_loss: found.mean,
            upper_bound: found.upper,
            p_value: found.p_value,
            tested: found.tested,
            certified: found.certified,
        });
        Ok(Self {
            project: project.name.clone(),
            protocol,
            synthetic: project.is_synthetic(),
            metric: metric.to_string(),
            baseline: baseline.name.clone(),
            slice,
            loss: claim.loss,
            confidence: claim.confidence,
            seeds: basis_of(&lines, SeedChoice::Shared).shared,
            ordering_users,
            certifying_users,
            fewest_users: BoundedLosses::fewest_users(claim.loss, claim.confidence),
            lambdas: certified.collect(),
            missing,
        })
    }

    /// The values of lambda that are certified, rising.
    pub fn certified(&self) -> impl Iterator<Item = &CertifiedLambda> {
        self.lambdas.iter().filter(|lambda| lambda.certified)
    }

    /// Who is spoken of: `dormant users`, `users whose target is cold`.
    pub fn who(&self) -> String {
        match self.slice {
            None => "users".to_owned(),
            Some(slice @ (Slice::New | Slice::Returning | Slice::Dormant)) => format!("{slice} users"),
            Some(slice @ (Slice::Warm | Slice::Cold)) => format!("users whose target is {slice}"),
            Some(slice @ (Slice::Head | Slice::Mid | Slice::Tail)) => format!("users whose target is of the {slice}"),
            Some(slice @ (Slice::Short | Slice::Medium | Slice::Long)) => format!("users with a {slice} history"),
        }
    }

    /// What is certified, in a sentence; `metric` as people read it.
    pub fn sentence(&self, metric: &str) -> String {
        let Self { loss, baseline, confidence, .. } = self;
        let claim = format!(
            "{} lose at most {loss} {metric} against {baseline}, with {} % confidence",
            self.who(),
            (1000.0 * confidence).round() / 10.0
        );
        let values: Vec<String> = self.certified().map(|lambda| lambda.lambda.to_string()).collect();
        match values.as_slice() {
            [] => format!("No λ qualifies: of none can it be said that {claim}"),
            values => format!("λ {}: {claim}", values.join(", ")),
        }
    }

    /// What a reader has to know beside it, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Some(fewest) = self.fewest_users.filter(|fewest| *fewest > self.certifying_users) {
            remarks.push(format!(
                "{} certify, and fewer than {fewest} cannot show so small a loss even where nobody loses anything",
                counted(self.certifying_users, "user")
            ));
        }
        remarks.push(format!(
            "{} put the values of λ in order, the most promising first, and chose nothing else; {} others certify, and \
             the first λ that fails ends the tests",
            counted(self.ordering_users, "user"),
            self.certifying_users
        ));
        remarks.push(format!(
            "It holds for other users of the models as they were trained ({}), not for other seeds",
            counted(self.seeds.len(), "seed")
        ));
        if !self.missing.is_empty() {
            remarks.push(format!("Without a finished run: {}", self.missing.join(", ")));
        }
        remarks
    }
}

/// The number that is a method's lambda; none of a method without one, or with one that is found by itself.
fn lambda_of(method: &MethodOptions) -> Option<f64> {
    let field = method.fields().into_iter().find(|field| field.path == "lambda")?;
    if let Setting::Number(lambda) = field.setting { Some(lambda) } else { None }
}

/// The experiments that differ in lambda alone, by rising lambda; none where there are no two of them.
fn grid_of(project: &Project, experiment: Option<&str>) -> Result<Option<Vec<GridPoint>>, InputError> {
    let mut grids: Vec<(String, Vec<GridPoint>)> = Vec::new();
    // Points on swept data were tested on other users.
    for variant in project.variants()?.into_iter().filter(|variant| variant.is_on_data_of(project)) {
        let Some(lambda) = lambda_of(&variant.experiment.method) else { continue };
        let key = but_for_lambda(project, &variant)?;
        let point = GridPoint { name: variant.experiment.name, lambda };
        match grids.iter_mut().find(|(of, _)| *of == key) {
            Some((_, grid)) => grid.push(point),
            None => grids.push((key, vec![point])),
        }
    }
    let asked = |grid: &[GridPoint]| experiment.is_none_or(|name| grid.iter().any(|point| point.name == name));
    let grids = grids.into_iter().map(|(_, grid)| grid).filter(|grid| asked(grid));
    // Of equally long ones the first.
    let longest = grids.rev().max_by_key(Vec::len);
    let mut grid = longest.filter(|grid| grid.len() > 1);
    grid.iter_mut().for_each(|grid| grid.sort_by(|a, b| a.lambda.total_cmp(&b.lambda)));
    Ok(grid)
}

fn no_grid(project: &Project) -> NoCertificate {
    let error = InputError::new(&project.folder, "there are no two experiments that differ in lambda alone");
    NoCertificate::NoGrid(
        error.at("sweeps").advice(
            "sweep it: `sweeps: [(experiment: \"PESO\", options: [(option: \"lambda\", values: [2, 20, 200])])]`",
        ),
    )
}

/// What is the same of two variants that differ in lambda alone.
fn but_for_lambda(project: &Project, variant: &Variant) -> Result<String, InputError> {
    let mut method = variant.experiment.method.clone();
    method.set("lambda", &Setting::Number(1.0)).map_err(|problem| {
        InputError::new(&project.folder, problem.problem).at(problem.field).advice(problem.advice)
    })?;
    RunConfig::hash_of(&variant.project(project), &RunMethod::Learned(method))
}

/// The line of a name; where none is given that of the method without any pull.
fn baseline_of<'l>(
    project: &Project,
    runs_dir: &Path,
    lines: &'l [UserScores],
    name: Option<&str>,
) -> Result<&'l UserScores, NoCertificate> {
    let variants = project.variants()?;
    let single = |line: &&UserScores| {
        variants.iter().any(|v| v.experiment.name == line.name && v.experiment.method.card().key == "single")
    };
    let found = match name {
        Some(name) => lines.iter().find(|line| line.name == name),
        None => lines.iter().find(single),
    };
    found.ok_or_else(|| {
        let problem = name.map_or_else(
            || "no run of the method without any pull is finished".to_owned(),
            |name| format!("there is no finished run of \"{name}\""),
        );
        let names: Vec<String> = lines.iter().map(|line| format!("\"{}\"", line.name)).collect();
        let advice = match names.is_empty() {
            true => "no run is finished; `peso run` starts them".to_owned(),
            false => format!("name the baseline; finished are {}", names.join(", ")),
        };
        NoCertificate::Missing(InputError::new(runs_dir, problem).advice(advice))
    })
}

/// The tests that count.
struct Tests<'t> {
    /// Of each test, stage after stage.
    users: Vec<u32>,
    /// The same; empty where slices are not recorded.
    slices: &'t [Slices],
    slice: Option<Slice>,
}

impl Tests<'_> {
    /// What users lose with `line`, by half.
    fn losses(&self, baseline: &UserScores, line: &UserScores) -> Result<SettingLosses, String> {
        if let Some(why) = line.incomparable(baseline) {
            return Err(why);
        }
        baseline.against(line).map_err(|problem| problem.to_string())?;
        let mut by_user: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        let differences = baseline.differences(line, |difference| difference);
        for (index, (user, loss)) in self.users.iter().zip(differences).enumerate() {
            let counts = self.slice.is_none_or(|slice| self.slices.get(index).is_some_and(|own| own.contains(&slice)));
            if counts {
                by_user.entry(*user).or_default().push(loss);
            }
        }
        let mean = |losses: Vec<f64>| losses.iter().sum::<f64>() / losses.len() as f64;
        let (certifying, ordering): (Vec<_>, Vec<_>) = by_user.into_iter().partition(|(user, _)| certifies(*user));
        let half = |users: Vec<(u32, Vec<f64>)>| {
            let found = users.len();
            let losses = users.into_iter().map(|(_, losses)| mean(losses)).collect();
            match self.slice {
                Some(slice) if found < 2 => {
                    Err(format!("the slice \"{slice}\" has {} in a half of the test users", counted(found, "user")))
                }
                _ => BoundedLosses::new(losses).map_err(|problem| problem.to_string()),
            }
        };
        Ok(SettingLosses { ordering: half(ordering)?, certifying: half(certifying)? })
    }
}

/// Whether a user is of the half that certifies: by a draw that depends on nothing but the user.
fn certifies(user: u32) -> bool {
    seeds::derive(u64::from(user), &["certificate"]) & 1 == 1
}

fn cannot(runs_dir: &Path, problem: &str) -> NoCertificate {
    NoCertificate::Missing(InputError::new(runs_dir, format!("nothing can be certified: {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::file::DEMO;

    fn project(sweeps: &str) -> Project {
        let text = DEMO.trim_end().strip_suffix(')').unwrap().to_owned() + sweeps + ")";
        Project::parse(&text, Path::new("demo/project.ron")).unwrap()
    }

    #[test]
    fn a_grid_are_the_experiments_that_differ_in_lambda_alone() {
        let swept = project(
            "sweeps: [(experiment: \"PESO\", options: [(option: \"lambda\", values: [200, 20])]), (experiment: \"PESO\", \
             options: [(option: \"lambda\", values: [5]), (option: \"aggregation\", values: [\"Mean\"])])]",
        );
        let values = |project: &Project, of| {
            let grid = grid_of(project, of).unwrap();
            grid.map(|grid| grid.into_iter().map(|point| point.lambda).collect::<Vec<_>>())
        };
        assert_eq!(values(&swept, None), Some(vec![2.0, 20.0, 200.0]));
        assert_eq!(values(&swept, Some("PESO (lambda 20)")), Some(vec![2.0, 20.0, 200.0]));
        assert_eq!(values(&swept, Some("PESO (lambda 5, aggregation Mean)")), None);
        assert_eq!(values(&project(""), None), None);
    }

    fn line(name: &str, seeds: &[u64], values: Vec<Vec<Vec<f64>>>) -> UserScores {
        UserScores {
            name: name.to_owned(),
            seeds: seeds.to_vec(),
            left_out: 0,
            runs: Vec::new(),
            ranking: crate::measure::Ranking::Ids,
            metric: UserMetric::default(),
            shared_ids: false,
            catalogue: None,
            values,
        }
    }

    #[test]
    fn a_users_tests_and_seeds_are_one_loss_and_users_keep_their_half() {
        let certifying: Vec<u32> = (0..40).filter(|&user| certifies(user)).collect();
        let ordering: Vec<u32> = (0..40).filter(|&user| !certifies(user)).collect();
        assert!(certifying.len() > 10 && ordering.len() > 10);
        let (a, b, c) = (certifying[0], certifying[1], ordering[0]);
        // Two stages of two seeds: a is tested in both stages, b and c once.
        let baseline = line("Single", &[1, 2], vec![vec![vec![1.0, 0.5], vec![1.0, 0.0]]; 2]);
        let method =
            line("PESO", &[1, 2], vec![vec![vec![0.0, 0.5], vec![1.0, 0.0]], vec![vec![0.5, 0.5], vec![1.0, 1.0]]]);
        let of = |slice: Option<Slice>, slices: &[Slices]| {
            Tests { users: vec![a, c, a, b], slices, slice }.losses(&baseline, &method)
        };
        let all = of(None, &[]).unwrap();
        // a: (0.75 + 0) / 2, b: -0.5.
        assert!((all.certifying.mean() - (0.375 - 0.5) / 2.0).abs() < 1e-12);
        assert_eq!((all.certifying.users(), all.ordering.users(), all.ordering.mean()), (2, 1, 0.0));
        let slices = |user| [user, Slice::Warm, Slice::Head, Slice::Long];
        let slices = [Slice::New, Slice::New, Slice::Dormant, Slice::Dormant].map(slices);
        let few = of(Some(Slice::Dormant), &slices).unwrap_err();
        assert!(few.contains("\"dormant\" has 0 users"), "{few}");
    }

    #[test]
    fn words_say_what_is_certified_and_that_nothing_is() {
        let lambda = |lambda: f64, certified| CertifiedLambda {
            experiment: format!("PESO (lambda {lambda})"),
            lambda,
            mean_loss: 0.001,
            upper_bound: 0.015,
            p_value: 0.01,
            tested: Some(1),
            certified,
        };
        let found = Certificate {
            project: "Demo".to_owned(),
            protocol: Protocol::SameBlock,
            synthetic: true,
            metric: "ndcg@10_corrected".to_owned(),
            baseline: "Single".to_owned(),
            slice: Some(Slice::Dormant),
            loss: 0.02,
            confidence: 0.995,
            seeds: vec![1, 2],
            ordering_users: 80,
            certifying_users: 90,
            fewest_users: Some(130),
            lambdas: vec![lambda(2.0, true), lambda(20.0, true), lambda(200.0, false)],
            missing: vec!["PESO (lambda 2000)".to_owned()],
        };
        assert_eq!(
            found.sentence("NDCG@10"),
            "λ 2, 20: dormant users lose at most 0.02 NDCG@10 against Single, with 99.5 % confidence"
        );
        assert!(found.remarks()[0].starts_with("90 users certify, and fewer than 130"));
        assert!(found.remarks()[3].contains("lambda 2000"));
        let none = Certificate { lambdas: vec![lambda(2.0, false)], slice: None, ..found };
        assert!(none.sentence("NDCG@10").starts_with("No λ qualifies: of none can it be said that users lose at most"));
    }
}
