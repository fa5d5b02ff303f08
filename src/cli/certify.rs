//! `peso certify`: under which values of lambda users lose little, for certain.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::outcome::{Ended, print, print_json};
use super::table::Table;
use super::words;
use crate::data::Protocol;
use crate::error::InputError;
use crate::figures::words::metric_label;
use crate::measure::statistics::{Claim, p_value_text};
use crate::measure::{Slice, UserMetric};
use crate::plot::scale::grouped;
use crate::project::Project;
use crate::results::certificate::{Certificate, CertificateRequest, CertifiedLambda, USUAL_CLAIM};

/// Certify lambda: under which pulls users lose at most so much against a baseline, with a stated confidence
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Only users of a slice: new, returning, dormant; warm, cold; head, mid, tail; short, medium, long
    #[arg(long, value_name = "NAME")]
    slice: Option<Slice>,
    /// What users may lose at most, on average, in the metric's own unit: above -1 and below 1; below 0 they must gain
    #[arg(long, value_name = "ALPHA", default_value_t = USUAL_CLAIM.loss, value_parser = words::loss, allow_negative_numbers = true)]
    loss: f64,
    /// Chance, at least, that everything that is certified is true: above 0 and below 1
    #[arg(long, value_name = "SHARE", default_value_t = USUAL_CLAIM.confidence, value_parser = words::share)]
    confidence: f64,
    /// Metric that users lose in, hit@K_corrected or ndcg@K_corrected; as in `peso compare`
    #[arg(long, default_value_t, value_name = "METRIC")]
    metric: UserMetric,
    /// The experiment, or non-learned baseline, that losses are against; the method without any pull where none is named
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// An experiment of the grid, where several methods have their lambda swept; the longest grid where none is named
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// same-block, next-block or global-time; the first that the project measures
    #[arg(long)]
    protocol: Option<Protocol>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report<'c> {
    #[serde(flatten)]
    certificate: &'c Certificate,
    /// The values of lambda that are certified; empty where none qualifies.
    certified: Vec<f64>,
    sentence: String,
    remarks: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    let runs_dir = project.runs_dir(arguments.out.as_deref());
    let request = CertificateRequest {
        slice: arguments.slice,
        claim: Claim { loss: arguments.loss, confidence: arguments.confidence },
        metric: arguments.metric,
        protocol: arguments.protocol.unwrap_or(project.evaluation.protocol.first()),
        baseline: arguments.baseline.clone(),
        experiment: arguments.experiment.clone(),
    };
    let certificate = Certificate::of_project(&project, &runs_dir, &request).map_err(InputError::from)?;
    if arguments.json {
        print_json(&Report {
            certificate: &certificate,
            certified: certificate.certified().map(|lambda| lambda.lambda).collect(),
            sentence: certificate.sentence(&metric_label(&certificate.metric)),
            remarks: certificate.remarks(),
        })?;
    } else {
        print(&as_text(&certificate))?;
    }
    Ok(Ended::Done)
}

fn as_text(certificate: &Certificate) -> String {
    let note = if certificate.synthetic { " · synthetic data" } else { "" };
    let metric = metric_label(&certificate.metric);
    let mut text = format!("{}{note}\n\nLoss in {metric} against {}\n", certificate.project, certificate.baseline);
    let mut table = Table::new(1, ["λ", "Mean loss", "Upper bound", "p", "Tested", ""]);
    for lambda in &certificate.lambdas {
        let CertifiedLambda { mean_loss, upper_bound, p_value, tested, certified, .. } = lambda;
        table.row([
            lambda.lambda.to_string(),
            grouped(*mean_loss, 4),
            grouped(*upper_bound, 4),
            p_value_text(*p_value),
            tested.map_or_else(|| "–".to_owned(), |place| place.to_string()),
            if *certified { "certified".to_owned() } else { String::new() },
        ]);
    }
    text.push_str(&table.to_text());
    text.push('\n');
    text.extend(
        std::iter::once(certificate.sentence(&metric)).chain(certificate.remarks()).map(|line| format!("{line}.\n")),
    );
    text
}
