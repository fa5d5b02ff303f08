//! The certificate for lambda: what users lose by it, what they lose at most, and where that is little enough.

use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::words::metric_label;
use crate::plot::{Axis, Band, Better, Body, Chart, Lines, Point, Series, SeriesStyle, Span};
use crate::results::certificate::{Certificate, CertifiedLambda};

pub static SPEC: FigureSpec = FigureSpec {
    name: "certificate",
    aliases: &["certify"],
    label: "Certificate",
    title: "Certificate for λ",
    summary: "What users lose at most under each lambda, and where that is little enough for certain",
    tooltip: "Under which pulls users lose at most so much against the baseline, for certain: the green band",
    options: &[
        FigureOption::Metric,
        FigureOption::Baseline,
        FigureOption::Slice,
        FigureOption::Loss,
        FigureOption::Confidence,
    ],
    alone: false,
    make: Make::Project(|context, options| {
        let chart = match context.certificate(options) {
            Ok(certificate) => chart(&certificate),
            // What cannot be certified is told in its place, and keeps no other figure from being made.
            Err(error) => Chart::empty(SPEC.title, error.to_string()).synthetic(context.is_synthetic()),
        };
        Ok(vec![NamedChart::new("certificate", chart)])
    }),
};

/// Mean loss and its bound by lambda, the limit, and a green band over the values of lambda that are certified.
pub fn chart(certificate: &Certificate) -> Chart {
    let metric = metric_label(&certificate.metric);
    let title = format!("What {} lose against {} by λ", certificate.who(), certificate.baseline);
    // No pull at all has no place on a logarithmic axis.
    let shown: Vec<&CertifiedLambda> = certificate.lambdas.iter().filter(|lambda| lambda.lambda > 0.0).collect();
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else {
        return Chart::empty(title, "Only λ 0 is finished: a certificate needs a pull")
            .synthetic(certificate.synthetic);
    };
    let point = |lambda: &&CertifiedLambda| {
        let spread = Some([lambda.mean_loss, lambda.upper_bound]);
        Point { x: lambda.lambda.log10(), y: lambda.mean_loss, spread }
    };
    let ends = [first.lambda.log10() - 0.1, last.lambda.log10() + 0.1];
    let series = vec![
        Series {
            name: "Mean loss".to_owned(),
            points: shown.iter().map(point).collect(),
            style: SeriesStyle::method(0),
        },
        Series {
            name: format!("Limit, {}", certificate.loss),
            points: ends.map(|x| Point::new(x, certificate.loss)).into(),
            style: SeriesStyle::baseline(0),
        },
    ];
    let x = Axis { marked: certified(&shown), ..Axis::logarithmic("λ") };
    let y = Axis { better: Some(Better::Lower), ..Axis::new(format!("Loss in {metric}")) };
    let mut caption = vec![format!(
        "Bands reach from the mean loss to what the true one stays below with {} % confidence; green: certified",
        (1000.0 * certificate.confidence).round() / 10.0
    )];
    if shown.len() < certificate.lambdas.len() {
        caption.push("λ 0, no pull, has no place on this axis".to_owned());
    }
    caption.extend(certificate.remarks());
    let values: Vec<String> = certificate.certified().map(|lambda| lambda.lambda.to_string()).collect();
    let values = if values.is_empty() { "none".to_owned() } else { values.join(", ") };
    Chart {
        subtitle: Some(certificate.sentence(&metric)),
        caption: Some(caption.join(". ")),
        band: Some(Band::UpperBound),
        ..Chart::new(title, Body::Lines(Lines { x, y, series, boundaries: Vec::new() }))
    }
    .of("baseline", certificate.baseline.clone())
    .of("slice", certificate.slice.map_or_else(|| "all".to_owned(), |slice| slice.to_string()))
    .of("certified", values)
    .under(certificate.protocol)
    .synthetic(certificate.synthetic)
}

/// The parts of the axis over neighbouring values that are certified, each with some room beside it.
fn certified(shown: &[&CertifiedLambda]) -> Vec<Span> {
    let together = shown.chunk_by(|a, b| a.certified == b.certified).filter(|values| values[0].certified);
    let span = |values: &[&CertifiedLambda]| Span {
        from: values[0].lambda.log10() - 0.1,
        to: values[values.len() - 1].lambda.log10() + 0.1,
        label: "certified".to_owned(),
    };
    together.map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Protocol;
    use crate::measure::Slice;
    use crate::plot::table;

    fn certificate(values: &[(f64, bool)]) -> Certificate {
        let lambda = |&(lambda, certified): &(f64, bool)| CertifiedLambda {
            experiment: format!("PESO (lambda {lambda})"),
            lambda,
            mean_loss: 0.005,
            upper_bound: if certified { 0.015 } else { 0.04 },
            p_value: 0.05,
            tested: Some(1),
            certified,
        };
        Certificate {
            project: "Demo".to_owned(),
            protocol: Protocol::SameBlock,
            synthetic: true,
            metric: "ndcg@10_corrected".to_owned(),
            baseline: "Single".to_owned(),
            slice: Some(Slice::Dormant),
            loss: 0.02,
            confidence: 0.9,
            seeds: vec![1],
            ordering_users: 300,
            certifying_users: 300,
            fewest_users: Some(160),
            lambdas: values.iter().map(lambda).collect(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn neighbouring_values_that_qualify_are_one_green_band() {
        let found = chart(&certificate(&[(0.0, true), (2.0, true), (20.0, true), (200.0, false), (2000.0, true)]));
        let Body::Lines(lines) = &found.body else { panic!("no lines") };
        let bands: Vec<[f64; 2]> = lines.x.marked.iter().map(|span| [span.from, span.to]).collect();
        let at = |value: f64| value.log10();
        assert_eq!(bands, [[at(2.0) - 0.1, at(20.0) + 0.1], [at(2000.0) - 0.1, at(2000.0) + 0.1]]);
        assert_eq!(lines.series[0].points[2].spread, Some([0.005, 0.04]));
        assert!(found.caption.as_deref().unwrap().contains("λ 0, no pull"));
        let csv = table::csv(&found);
        assert!(
            csv.starts_with("baseline,slice,certified,protocol,series,λ,Loss in NDCG@10,mean,upper bound,note"),
            "{csv}"
        );
        assert!(
            csv.contains("Single,dormant,\"0, 2, 20, 2000\",same-block,Mean loss,20,0.005,0.005,0.015,Synthetic data"),
            "{csv}"
        );
    }

    #[test]
    fn where_nothing_qualifies_the_chart_says_so() {
        let found = chart(&certificate(&[(2.0, false), (20.0, false)]));
        let Body::Lines(lines) = &found.body else { panic!("no lines") };
        assert!(lines.x.marked.is_empty());
        assert!(found.subtitle.unwrap().starts_with("No λ qualifies"));
        assert!(matches!(chart(&certificate(&[(0.0, true)])).body, Body::Empty(_)));
    }
}
