//! Terms that hold the trained token rows beside the adapter, against PyTorch (`tests/fixtures/methods/rows.py`).

use std::path::Path;

use burn::backend::Flex;
use peso_workbench::method::ewc::Variant;
use peso_workbench::method::term::Parameters;
use peso_workbench::method::{
    AdapterMethod, Aggregation, Anchor, Distance, Ended, Ewc, Guides, Matrices, Peso, Rows, Stage,
};
use peso_workbench::model::adapter::{Matrix, Pair};
use peso_workbench::model::{Adapter, Compact, Llama, LlamaConfig, weights};
use serde_json::Value;

use crate::model_reference::{json, number, relative};

struct Case {
    written: Value,
}

impl Case {
    fn load() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/methods/rows.json");
        Self { written: json(&file) }
    }

    fn matrices(&self, state: &Value) -> Matrices {
        let matrix = |(name, values): (&String, &Value)| {
            let shape = numbers(&self.written["shapes"][name]);
            let matrix = Matrix { rows: shape[0] as usize, columns: shape[1] as usize, values: numbers(values) };
            (name.clone(), matrix)
        };
        state.as_object().unwrap().iter().map(matrix).collect()
    }

    /// A state's adapter, and its token rows.
    fn state(&self, number: usize) -> (Adapter, Matrices) {
        let mut all = self.matrices(&self.written["past"][number]);
        let mut take = |suffix: &str| all.remove(&format!("m{suffix}")).unwrap();
        let pair = Pair { a: take(Adapter::A), b: take(Adapter::B) };
        (Adapter { modules: [("m".to_owned(), pair)].into() }, all)
    }

    /// Holds value and gradient of a method's term at the current parameters against the fixture's.
    fn assert(&self, name: &str, method: &dyn AdapterMethod, memories: &[Matrices]) {
        let (past, rows): (Vec<Adapter>, Vec<Matrices>) = (0..2).map(|number| self.state(number)).unzip();
        let fresh: &dyn Fn(&str) -> Adapter = &|_| Adapter::default();
        let statistics = Matrices::new();
        let stage = Stage { number: 3, past: &past, rows: &rows, memories, statistics: &statistics, fresh };
        let terms = method.plan(&stage).main.terms;
        let now: Parameters<Flex> = self
            .matrices(&self.written["now"])
            .into_iter()
            .map(|(name, matrix)| (name, matrix.to_tensor(&Default::default())))
            .collect();
        let pull = Guides::new(&terms, &Default::default(), &model()).pull(&now).unwrap();
        let expected = &self.written["cases"][name];
        let penalty = number(&expected["penalty"]);
        assert!((pull.penalty / penalty - 1.0).abs() < 2e-4, "{name}: {} is not {penalty}", pull.penalty);
        for (parameter, gradient) in expected["gradient"].as_object().unwrap() {
            let got = Matrix::from_tensor(pull.gradients[parameter].clone()).values;
            let error = relative(&got, &numbers(gradient));
            assert!(error < 1e-3, "{name}, gradient of {parameter}: relative error {error:e}");
        }
        assert_eq!(pull.gradients.len(), 4, "{name}: the module's two groups and two tables");
    }
}

/// A decoder that terms are put on a device beside; its own weights play no part.
fn model() -> Llama<Flex> {
    let compact = Compact { width: 8, layers: 1, heads: 1, kv_heads: 1, ffn: 8, ..Compact::default() };
    weights::initialise_compact(&LlamaConfig::compact(&compact), 4, 0, &Default::default())
}

#[test]
fn proximal_terms_over_token_rows_match_the_reference() {
    let case = Case::load();
    let kl = Distance::SoftmaxKl { temperature: 1.0 };
    let peso = |distance| Peso { lambda: 1.0.into(), distance, rows: Rows::Pulled, ..Peso::default() };
    for (name, peso) in [
        ("kl_sum", peso(kl)),
        ("kl_mean", Peso { aggregation: Aggregation::Mean, ..peso(kl) }),
        ("per_rank_kl", peso(Distance::PerRankKl { temperature: 1.0 })),
        ("l2_squared", peso(Distance::L2 { squared: true, per_element: false })),
        ("l2_norm_per_element", peso(Distance::L2 { squared: false, per_element: true })),
        ("orthogonal", peso(Distance::Orthogonal)),
        ("anchors_all", Peso { anchor: Anchor::All, ..peso(kl) }),
        ("anchors_ema", Peso { anchor: Anchor::Ema { decay: 0.7 }, ..peso(kl) }),
    ] {
        case.assert(name, &peso, &[]);
    }
}

#[test]
fn ewc_over_token_rows_matches_the_reference() {
    let case = Case::load();
    let [first, second] = [0, 1].map(|number| case.matrices(&case.written["fisher"][number]));
    let ewc = Ewc { lambda: 1.0.into(), rows: Rows::Pulled, ..Ewc::default() };
    case.assert("ewc", &ewc, &[first.clone(), second.clone()]);
    let online = Ewc { variant: Variant::Online { decay: 0.9 }, ..ewc };
    let kept = online.remember(Ended { number: 2, of: 3, statistics: second, before: Some(&first) });
    case.assert("ewc_online", &online, &[first, kept]);
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|value| number(value) as f32).collect()
}
