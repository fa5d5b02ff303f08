//! Every method's forward pass, loss, gradient and memory against PyTorch (`tests/fixtures/methods/README.md` has the
//! formulas).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::backend::Flex;
use burn::tensor::Tensor;
use faer::Mat;
use peso_workbench::linalg::{from_rows, svd};
use peso_workbench::method::ewc::Variant;
use peso_workbench::method::gradient_surgery::Ahead;
use peso_workbench::method::inf_lora::{Memory, design};
use peso_workbench::method::term::on_device;
use peso_workbench::method::{
    AdapterMethod, Aggregation, Anchor, Distance, Ended, Ewc, Guides, Lwf, Matrices, OLora, Past, Peso, Plan, SdLora,
    Stage, SumLora, Term,
};
use peso_workbench::model::adapter::{Matrix, Pair};
use peso_workbench::model::beam::{Decoder, Ensemble};
use peso_workbench::model::llama::Kind;
use peso_workbench::model::packing::{Branch, Sequence};
use peso_workbench::model::prompt::Template;
use peso_workbench::model::score::all_logits;
use peso_workbench::model::weights::Weights;
use peso_workbench::model::{Adapter, Decoding, Softmax, Vocabulary, VocabularyMode};
use peso_workbench::semantic_id::{SemanticIndex, Trie};
use peso_workbench::train::stage_statistics;
use peso_workbench::train::step::{Gradients, StepOptions, gradients};
use serde_json::Value;

use crate::model_reference::{LoraCase, Tracked, json, number, relative};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/methods")
}

fn file(name: &str) -> Weights {
    Weights::open_file(&folder().join(name)).unwrap()
}

/// The adapted model with its past states and what the formulas gave.
struct Case {
    lora: LoraCase,
    current: Adapter,
    /// v0 and v1, oldest first.
    past: [Adapter; 2],
    /// F0 and F1.
    fisher: [Matrices; 2],
    expected: Value,
    gradients: Weights,
}

impl Case {
    fn load() -> Self {
        let lora = LoraCase::committed();
        let inputs = file("inputs.safetensors");
        let (mut oldest, mut fisher) = (Adapter::default(), [Matrices::new(), Matrices::new()]);
        for module in lora.previous.modules.keys() {
            let matrix = |suffix: &str| inputs.matrix(&format!("{module}.{suffix}"), None).unwrap();
            oldest.modules.insert(module.clone(), Pair { a: matrix("A_old"), b: matrix("B_old") });
            for (fisher, suffix) in fisher.iter_mut().zip(["_fisher_old", "_fisher"]) {
                fisher.insert(format!("{module}{}", Adapter::A), matrix(&format!("A{suffix}")));
                fisher.insert(format!("{module}{}", Adapter::B), matrix(&format!("B{suffix}")));
            }
        }
        let past = [oldest, lora.previous.clone()];
        let current = Adapter::of(&lora.model);
        let expected = json(&folder().join("expected.json"));
        Self { lora, current, past, fisher, expected, gradients: file("gradients.safetensors") }
    }

    /// What a method plans at stage 3, after these two states.
    fn plan(&self, method: &dyn AdapterMethod) -> Plan {
        let fresh: &dyn Fn(&str) -> Adapter = &|_| Adapter::default();
        let statistics = Matrices::new();
        method.plan(&Stage {
            number: 3,
            past: &self.past,
            rows: &[],
            memories: &self.fisher,
            statistics: &statistics,
            fresh,
        })
    }

    fn guides(&self, terms: &[Term]) -> Guides<Flex> {
        let mut before = self.lora.model.clone().map(&|t: Tensor<Tracked, 2>| t.inner());
        self.past[1].put_on(&mut before);
        Guides::new(terms, &Default::default(), &before)
    }

    fn step(&mut self, guides: &Guides<Flex>) -> Gradients<Tracked> {
        let options = StepOptions { temperature: 0.8, ..StepOptions::default() };
        let trains = |kind| matches!(kind, Kind::LoraA | Kind::LoraB | Kind::Magnitudes);
        gradients(&mut self.lora.model, &self.lora.packed, &trains, guides, &options, 0)
    }

    fn assert_figure(&self, case: &str, figure: &str, got: f64, tolerance: f64) {
        let expected = number(&self.expected[case][figure]);
        assert!((got - expected).abs() <= tolerance * expected.abs(), "{case}, {figure}: {got} instead of {expected}");
    }

    /// Compares the gradients that the fixture has of a case.
    fn assert_gradients(&self, case: &str, got: &BTreeMap<String, Tensor<Flex, 2>>, tolerance: f64) {
        let mut compared = 0;
        for name in self.gradients.names().filter_map(|name| name.strip_prefix(&format!("{case}/"))) {
            let expected = self.gradients.floats(&format!("{case}/{name}")).unwrap();
            let values = got.get(&parameter(name)).map(|t| Matrix::from_tensor(t.clone()).values);
            let values = values.unwrap_or_else(|| vec![0.0; expected.len()]);
            let error = relative(&values, &expected);
            assert!(error <= tolerance, "{case}, gradient of {name}: relative error {error:e}");
            compared += 1;
        }
        assert!(compared >= 16, "{case}: {compared} gradients");
    }
}

/// The fixture's name of a parameter as the model has it.
fn parameter(name: &str) -> String {
    name.replace(".A", Adapter::A).replace(".B", Adapter::B)
}

/// A term's value and gradient at the current parameters.
fn assert_term(case: &Case, name: &str, terms: &[Term]) {
    let pull = case.guides(terms).pull(&on_device(&case.current, &Default::default())).unwrap();
    case.assert_figure(name, "penalty", pull.penalty, 2e-4);
    case.assert_gradients(name, &pull.gradients, 1e-3);
}

#[test]
fn proximal_distances_and_anchors_match_the_reference() {
    let case = Case::load();
    let kl = Distance::SoftmaxKl { temperature: 1.0 };
    let peso = |distance| Peso { lambda: 1.0.into(), distance, ..Peso::default() };
    let l2 = |squared, per_element| peso(Distance::L2 { squared, per_element });
    for (name, peso) in [
        ("kl_sum", peso(kl)),
        ("kl_sum_t05", peso(Distance::SoftmaxKl { temperature: 0.5 })),
        ("kl_mean", Peso { aggregation: Aggregation::Mean, ..peso(kl) }),
        ("l2_squared", l2(true, false)),
        ("l2_squared_per_element", l2(true, true)),
        ("l2_norm", l2(false, false)),
        ("l2_norm_per_element", l2(false, true)),
        ("orthogonal", peso(Distance::Orthogonal)),
        ("per_rank_kl", peso(Distance::PerRankKl { temperature: 1.0 })),
        ("anchors_all", Peso { anchor: Anchor::All, ..peso(kl) }),
        ("anchors_ema", Peso { anchor: Anchor::Ema { decay: 0.7 }, ..peso(kl) }),
    ] {
        let plan = case.plan(&peso);
        assert_eq!(plan.main.start, case.past[1], "{name} starts from the latest");
        assert_term(&case, name, &plan.main.terms);
    }
    assert!(case.plan(&peso(Distance::None)).main.terms.is_empty());
}

#[test]
fn divergences_of_predictions_match_the_reference() {
    let mut case = Case::load();
    let plain = case.step(&Guides::default());
    for (name, method) in [
        (
            "output_kl",
            &Peso { lambda: 1.0.into(), distance: Distance::OutputKl, ..Peso::default() } as &dyn AdapterMethod,
        ),
        ("lwf", &Lwf { lambda: 1.0, temperature: 2.0 }),
    ] {
        let guides = case.guides(&case.plan(method).main.terms);
        let taught = case.step(&guides);
        case.assert_figure(name, "ce", taught.figures.loss, 1e-4);
        case.assert_figure(name, "penalty", taught.figures.penalty, 1e-3);
        assert!(taught.figures.pull_ratio.is_nan());
        let alone = taught.by_name.into_iter().map(|(name, gradient)| {
            let plain = plain.by_name[&name].clone();
            (name, gradient - plain)
        });
        case.assert_gradients(name, &alone.collect(), 3e-3);
    }
}

#[test]
fn added_adapters_match_the_reference() {
    for (name, method, magnitudes) in [
        ("sum_lora_latest", &SumLora { past: Past::Latest, inherit: true } as &dyn AdapterMethod, None),
        ("sum_lora_all", &SumLora { past: Past::All, inherit: true }, None),
        ("sd_lora_all", &SdLora { past: Past::All, inherit: true }, Some([1.1, 0.9, 1.2])),
        ("plain_all", &OLora::default(), None),
    ] {
        let mut case = Case::load();
        let plan = case.plan(method);
        assert_eq!(plan.main.magnitudes, magnitudes.is_some());
        let added = plan.main.added.iter().cloned().reduce(|all, next| all.concatenated(&next)).unwrap();
        added.put_as_past(&mut case.lora.model);
        case.lora.model.magnitudes = magnitudes.map(|m| Tensor::from_floats([m], &Default::default()));
        assert_logits(&case, name);
        let step = case.step(&Guides::default());
        case.assert_figure(name, "ce", step.figures.loss, 1e-4);
        case.assert_gradients(name, &step.by_name, 1e-3);
        assert_eq!(step.by_name.contains_key("magnitudes"), magnitudes.is_some());
    }
}

/// Logits of the batch's first row.
fn assert_logits(case: &Case, name: &str) {
    let outputs = file("outputs.safetensors");
    let expected = outputs.floats(&format!("{name}/logits")).unwrap();
    let model = case.lora.model.clone().map(&|t: Tensor<Tracked, 2>| t.inner());
    let tokens = case.lora.first_row();
    let logits = all_logits(&model, &tokens, tokens.len());
    let error = relative(&logits.values[..expected.len()], &expected);
    assert!(error < 1e-3, "{name}: logits, relative error {error:e}");
}

#[test]
fn o_lora_and_ewc_match_the_reference() {
    let case = Case::load();
    assert_term(&case, "o_lora", &case.plan(&OLora { lambda: 0.5 }).main.terms);
    let ewc = Ewc { lambda: 1.0.into(), ..Ewc::default() };
    assert_term(&case, "ewc", &case.plan(&ewc).main.terms);
    let online = Ewc { variant: Variant::Online { decay: 0.9 }, ..ewc };
    let [first, second] = case.fisher.clone();
    let kept = online.remember(Ended { number: 2, of: 3, statistics: second, before: Some(&first) });
    let case = Case { fisher: [first, kept], ..case };
    assert_term(&case, "ewc_online", &case.plan(&online).main.terms);
}

#[test]
fn the_fisher_information_matches_the_reference() {
    let mut case = Case::load();
    let rows = case.lora.sequences();
    let fisher = stage_statistics::fisher(&mut case.lora.model, &rows, 0.8, VocabularyMode::Frozen);
    let on_device = |matrix: &Matrix| matrix.to_tensor::<Flex>(&Default::default());
    let fisher = fisher.iter().map(|(name, matrix)| (name.clone(), on_device(matrix))).collect();
    case.assert_gradients("fisher", &fisher, 2e-3);
}

#[test]
fn the_step_ahead_matches_the_reference() {
    let mut case = Case::load();
    let by_name = case.step(&Guides::default()).by_name;
    let gradient = by_name.into_iter().map(|(name, tensor)| (name, Matrix::from_tensor(tensor))).collect();
    let mut movement = case.past[1].clone();
    for (name, pair) in &mut movement.modules {
        let before = &case.past[0].modules[name];
        for (now, before) in [(&mut pair.a, &before.a), (&mut pair.b, &before.b)] {
            now.values.iter_mut().zip(&before.values).for_each(|(v, w)| *v -= w);
        }
    }
    let (started, _) = Ahead { length: 0.5, examples: 1, movement }.started(&case.current, &gradient);
    let outputs = file("outputs.safetensors");
    let moved = |adapter: &Adapter| -> Matrices { adapter.parameters().map(|(n, m)| (n, m.clone())).collect() };
    let (started, start) = (moved(&started), moved(&case.current));
    let mut compared = 0;
    for name in outputs.names().filter_map(|name| name.strip_prefix("surgery/")) {
        let expected = outputs.floats(&format!("surgery/{name}")).unwrap();
        let start = &start[&parameter(name)].values;
        let steps = |values: &[f32]| -> Vec<f32> { values.iter().zip(start).map(|(v, s)| v - s).collect() };
        let error = relative(&steps(&started[&parameter(name)].values), &steps(&expected));
        assert!(error < 2e-3, "{name}: the step's relative error is {error:e}");
        compared += 1;
    }
    assert!(compared >= 16);
}

#[test]
fn the_mean_of_two_updates_matches_the_reference() {
    let mut case = Case::load();
    let mean = case.current.clone().scaled(0.5).concatenated(&case.past[1].clone().scaled(0.5));
    mean.put_on(&mut case.lora.model);
    assert_logits(&case, "lsat_weights");
    let ce = case.step(&Guides::default()).figures.loss;
    case.assert_figure("lsat_weights", "ce", ce, 1e-4);
}

#[test]
fn the_mean_of_two_predictions_matches_the_reference() {
    let case = Case::load();
    let model = |adapter: &Adapter| {
        let mut model = case.lora.model.clone().map(&|t: Tensor<Tracked, 2>| t.inner());
        adapter.put_on(&mut model);
        model
    };
    let ensemble = Ensemble { models: vec![(0.5, model(&case.current)), (0.5, model(&case.past[1]))] };
    // The reference's codes follow 60 base tokens, 12 a level; only the rows' own responses exist as items.
    const FIRST_CODE: u32 = 60;
    let rows = case.lora.sequences();
    let responses: Vec<&[u32]> = rows.iter().map(|row| row.branches[0].targets.as_slice()).collect();
    let code = |token: &u32| token - FIRST_CODE;
    let index = SemanticIndex {
        levels: 4,
        tokens: (0..48).map(|i| format!("<{}_{}>", ["a", "b", "c", "d"][i / 12], i % 12)).collect(),
        token_level: (0..48).map(|i| (i / 12) as u8).collect(),
        codes: responses.iter().flat_map(|tokens| tokens[..4].iter().map(code)).collect(),
    };
    let trie = Trie::new(&index);
    let base = case.lora.model.config.vocabulary;
    let template = Template { before: vec![2], between: vec![], after: vec![10] };
    let vocabulary = Vocabulary { base, added: 0, eos: 1, first_code: FIRST_CODE, template };
    let (decoding, softmax) = (Decoding::Trie, Softmax::AllTokens);
    let decoder = Decoder { vocabulary: &vocabulary, index: &index, trie: &trie, decoding, softmax, beams: rows.len() };
    let question = |row: &Sequence| {
        let Branch { at, tokens, .. } = &row.branches[0];
        Sequence { prefix: row.prefix.clone(), branches: vec![Branch::unscored(*at, tokens[..1].to_vec())] }
    };
    let lists = decoder.search(&ensemble, &rows.iter().map(question).collect::<Vec<_>>());
    let expected = case.expected["lsat_predictions"]["log_probabilities"].as_array().unwrap();
    for (row, list) in lists.iter().enumerate() {
        let codes: Vec<u32> = responses[row][..4].iter().map(code).collect();
        let score = list.iter().find(|h| h.codes == codes).expect("every item is found").score;
        let expected = expected[5 * row..][..5].iter().map(number).sum::<f64>() / 5.0;
        assert!((score - expected).abs() <= 1e-4, "row {row}: {score} instead of {expected}");
    }
}

#[test]
fn what_modules_read_and_the_first_a_match_the_reference() {
    let case = Case::load();
    let model = case.lora.model.clone().map(&|t: Tensor<Tracked, 2>| t.inner());
    let seen = stage_statistics::inputs(&model, &case.lora.sequences());
    let outputs = file("outputs.safetensors");
    let mut compared = 0;
    for site in outputs.names().filter_map(|name| name.strip_prefix("covariance/")) {
        let expected = outputs.floats(&format!("covariance/{site}")).unwrap();
        let error = relative(&seen[site].values, &expected);
        assert!(error < 1e-4, "{site}: relative error {error:e}");
        compared += 1;
    }
    assert_eq!(compared, 4);
    let site = "model.layers.0.self_attn.q_proj";
    let expected = outputs.matrix(&format!("a_first/{site}"), None).unwrap();
    // The last of the directions hardly stands out from the next, so the space of those before it is compared.
    let rank = expected.rows - 1;
    let seen = from_rows(seen[site].rows, seen[site].columns, &seen[site].values);
    assert_same_rows(&design(seen.as_ref(), None, rank), &double(&expected), rank, 1e-3);
}

#[test]
fn dual_projection_memories_match_the_reference() {
    let (inputs, outputs) = (file("inputs.safetensors"), file("outputs.safetensors"));
    for (sequence, types) in [("switch", ["remove", "retain", "retain"]), ("stay", ["remove"; 3])] {
        let mut memory: Option<Memory> = None;
        for stage in 0..4 {
            let matrix = inputs.matrix(&format!("dual_gpm/{sequence}/covariance_{stage}"), None).unwrap();
            let seen = double(&matrix);
            let a = double(&outputs.matrix(&format!("dual_gpm/{sequence}/a_{stage}"), None).unwrap());
            assert_same_rows(&design(seen.as_ref(), memory.as_ref(), a.nrows()), &a, a.nrows(), 1e-3);
            let Some(kind) = types.get(stage) else { break };
            let grown = Memory::grown(memory.take(), seen.as_ref(), 0.5 * stage as f64 / 3.0 + 0.5);
            let basis = match &grown {
                Memory::Used(basis) if *kind == "remove" => basis,
                Memory::Left(basis) if *kind == "retain" => basis,
                other => panic!("{sequence}, stage {stage}: {other:?} instead of {kind}"),
            };
            let expected = double(&outputs.matrix(&format!("dual_gpm/{sequence}/memory_{stage}"), None).unwrap());
            assert_eq!(basis.ncols(), expected.ncols(), "{sequence}, stage {stage}");
            assert_same_span(basis, &expected, 1e-4);
            memory = Some(grown);
        }
    }
}

#[test]
fn a_first_stage_that_uses_most_of_the_space_leaves_the_rest() {
    let seen = Mat::from_fn(4, 4, |row, column| if row == column { 1.0 } else { 0.0 });
    let Memory::Left(left) = Memory::grown(None, seen.as_ref(), 0.8) else { panic!("most is used") };
    assert_eq!((left.nrows(), left.ncols()), (4, 1), "three of four equal directions are below the threshold");
}

fn double(matrix: &Matrix) -> Mat<f64> {
    from_rows(matrix.rows, matrix.columns, &matrix.values)
}

/// The first rows of both, normalised, span the same space: all principal angles are as good as 0.
fn assert_same_rows(got: &Mat<f64>, expected: &Mat<f64>, rows: usize, tolerance: f64) {
    let unit =
        |matrix: &Mat<f64>| Mat::from_fn(matrix.ncols(), rows, |column, row| matrix[(row, column)] * 3f64.sqrt());
    assert_same_span(&unit(got), &unit(expected), tolerance);
}

/// Orthonormal columns that span the same space.
fn assert_same_span(got: &Mat<f64>, expected: &Mat<f64>, tolerance: f64) {
    let cosines = svd((got.transpose() * expected).as_ref()).values;
    assert_eq!(cosines.len(), expected.ncols());
    for cosine in cosines {
        assert!((cosine - 1.0).abs() < tolerance, "a principal angle has the cosine {cosine}");
    }
}
