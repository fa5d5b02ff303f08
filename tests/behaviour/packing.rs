//! Training all targets of a user in one pass is the same as training them one by one.

use burn::backend::{Autodiff, Flex};
use burn::tensor::{ElementConversion, Tensor};
use peso_workbench::data::{Dataset, DatasetSource, Example, SyntheticOptions};
use peso_workbench::method::Guides;
use peso_workbench::model::adapter::Matrix;
use peso_workbench::model::beam::{Decoder, Ensemble, ReadQuestions};
use peso_workbench::model::config::{Activation, Gemma, Rope, Sliding};
use peso_workbench::model::llama::Kind;
use peso_workbench::model::packing::{Packed, Sequence};
use peso_workbench::model::prompt::{Continuations, Template};
use peso_workbench::model::{
    Adapter, Compact, Decoding, Llama, LlamaConfig, LoraShape, PromptWriter, Softmax, Vocabulary, weights,
};
use peso_workbench::semantic_id::Trie;
use peso_workbench::train::step::{StepOptions, cross_entropy, gradients};

type Tracked = Autodiff<Flex>;

struct Case {
    dataset: Dataset,
    vocabulary: Vocabulary,
    model: Llama<Tracked>,
}

/// The compact prompt, one with text on all sides, and one with nothing after the history.
fn templates() -> [Template; 3] {
    let template = |before: &[u32], between: &[u32], after: &[u32]| Template {
        before: before.to_vec(),
        between: between.to_vec(),
        after: after.to_vec(),
    };
    [template(&[0], &[], &[2]), template(&[0, 2, 1], &[2, 2], &[2, 0, 1, 2]), template(&[0], &[], &[])]
}

/// The cases with each template: of a Llama, and of a Gemma whose first and last layer see three tokens.
fn cases() -> Vec<Case> {
    let gemma = |config: &mut LlamaConfig| {
        config.sliding = Some(Sliding {
            window: 3,
            layers: vec![true, false, true],
            rope: Some(Rope { theta: 100.0, scaling: None }),
        });
        config.gemma = Some(Gemma { query_scalar: 12.0, attention_cap: Some(2.0), logit_cap: Some(1.5) });
        config.activation = Activation::GeluTanh;
    };
    templates()
        .into_iter()
        .flat_map(|template| [Case::new(template.clone(), |_| ()), Case::new(template, gemma)])
        .collect()
}

impl Case {
    fn new(template: Template, change: impl Fn(&mut LlamaConfig)) -> Self {
        let options = SyntheticOptions { users: 30, items: 40, stages: 2, codes: 5, ..SyntheticOptions::default() };
        let dataset = Dataset::load(&DatasetSource::Synthetic(options), None, std::path::Path::new(".")).unwrap();
        let shape = Compact { width: 32, layers: 3, heads: 4, kv_heads: 2, ffn: 64, ..Compact::default() };
        let mut config = LlamaConfig::compact(&shape);
        change(&mut config);
        let vocabulary = Vocabulary { template, ..Vocabulary::new(0, &dataset.index) };
        let mut model = weights::initialise_compact::<Tracked>(&config, vocabulary.added, 1, &Default::default());
        let mut adapter = Adapter::fresh(&config, LoraShape::default(), 1, "test");
        // B is zero in a fresh adapter; here both factors count.
        for pair in adapter.modules.values_mut() {
            pair.b.values.iter_mut().enumerate().for_each(|(i, v)| *v = ((i * 37 % 11) as f32 - 5.0) * 0.02);
        }
        adapter.put_on(&mut model);
        model.lora_scale = 2.0;
        Self { dataset, vocabulary, model }
    }

    fn writer(&self, max_history: usize) -> PromptWriter<'_> {
        PromptWriter { vocabulary: &self.vocabulary, index: &self.dataset.index, max_history, existing: None }
    }

    /// The same targets packed by user, and one by one.
    fn both(&self, max_history: usize) -> (Vec<Sequence>, Vec<Sequence>) {
        let writer = self.writer(max_history);
        let users: Vec<_> = self.dataset.stages[1].participants().collect();
        let packed = users.iter().flat_map(|user| writer.training(user, 6)).collect();
        let single = users.iter().flat_map(|user| {
            user.training_targets().map(|at| {
                writer.example(Example { user: user.user, history: &user.items[..at], target: user.items[at] })
            })
        });
        (packed, single.collect())
    }

    fn loss(&self, sequences: &[Sequence]) -> f64 {
        cross_entropy(&self.model, &Packed::new(sequences), 0.8, None).into_scalar().elem()
    }
}

fn targets(sequences: &[Sequence]) -> usize {
    sequences.iter().map(|s| s.branches.len()).sum()
}

fn tokens(sequences: &[Sequence]) -> usize {
    Packed::<Flex>::new(sequences).tokens.len()
}

#[test]
fn the_loss_of_packed_targets_is_that_of_single_examples() {
    let cases = cases();
    // With long histories all targets of a user share one; with short ones most have a history of their own.
    for (case, max_history) in cases.iter().flat_map(|case| [(case, 20), (case, 4)]) {
        let (packed, single) = case.both(max_history);
        assert_eq!(targets(&packed), targets(&single));
        assert!(tokens(&packed) < tokens(&single), "packing saves work");
        // Every example alone, so that nothing can leak between the sequences of a batch either.
        let alone = single.iter().map(|s| case.loss(std::slice::from_ref(s))).sum::<f64>() / single.len() as f64;
        let (together, by_user) = (case.loss(&single), case.loss(&packed));
        assert!((together - alone).abs() < 1e-5, "history {max_history}: {together} instead of {alone}");
        assert!((by_user - alone).abs() < 1e-5, "history {max_history}: {by_user} instead of {alone}");
    }
}

#[test]
fn the_gradients_of_packed_targets_are_those_of_single_examples() {
    for case in cases() {
        gradients_are_those_of_single_examples(&case);
    }
}

fn gradients_are_those_of_single_examples(case: &Case) {
    let (packed, single) = case.both(20);
    let options = StepOptions { temperature: 0.8, clip: 1.0, ..Default::default() };
    let of = |sequences: &[Sequence]| {
        let mut model = case.model.clone();
        gradients(&mut model, &Packed::new(sequences), &|kind| kind != Kind::Past, &Guides::default(), &options, 0)
            .by_name
    };
    let (packed, mut single) = (of(&packed), of(&single));
    assert_eq!(packed.len(), single.len());
    for (name, gradient) in packed {
        let (a, b) = (Matrix::from_tensor(gradient), Matrix::from_tensor(single.remove(&name).unwrap()));
        let difference: f64 = a.values.iter().zip(&b.values).map(|(x, y)| f64::from(x - y).powi(2)).sum();
        assert!(difference.sqrt() <= 1e-4 * b.norm().max(1e-6), "{name}: {:e} of {:e}", difference.sqrt(), b.norm());
    }
}

#[test]
fn a_softmax_over_existing_items_is_a_distribution_over_them_in_the_loss_and_in_beam_search() {
    for case in cases() {
        softmax_over_existing_items_is_a_distribution(&case);
    }
}

#[test]
fn a_search_among_some_items_finds_them_in_the_order_of_their_losses() {
    for case in cases() {
        for softmax in [Softmax::AllTokens, Softmax::ExistingItems] {
            search_among_some_items_is_exhaustive(&case, softmax);
        }
    }
}

/// Every id of some items is scored by itself, as a target of the loss; beams for all of them leave nothing out.
fn search_among_some_items_is_exhaustive(case: &Case, softmax: Softmax) {
    let (index, whole) = (&case.dataset.index, Trie::new(&case.dataset.index));
    let example = case.dataset.stages[1].participants().next().unwrap().test().unwrap();
    let model: Ensemble<Flex> = case.model.clone().map(&|t: Tensor<Tracked, 2>| t.inner()).into();
    let decoding = Decoding::Trie;
    let all = Decoder { vocabulary: &case.vocabulary, index, trie: &whole, decoding, softmax, beams: whole.leaves() };
    let read = ReadQuestions::new(&model, &case.vocabulary, &[case.writer(20).question(example.history)]);
    let listed = all.answers(&model, &read).remove(0);
    // Neither the best item nor every third of the others is known.
    let best = whole.leaf(listed[0].leaf.unwrap());
    let some = Trie::of(index, (0..index.len() as u32).filter(|item| item % 3 != 0 && !best.contains(item)));
    let known = all.among(&some).answers(&model, &read).remove(0);
    assert!(known.iter().all(|h| h.codes != listed[0].codes), "the best of all is not listed");

    let continuations = Continuations::new(&some, &case.vocabulary);
    let existing = (softmax == Softmax::ExistingItems).then_some((&some, &continuations));
    let writer = PromptWriter { existing, ..case.writer(20) };
    let mut scored: Vec<(f64, &[u32])> = (0..some.leaves() as u32)
        .map(|leaf| {
            let target = some.leaf(leaf)[0];
            let packed = Packed::new(&[writer.example(Example { target, ..example })]);
            let loss: f64 = cross_entropy(&case.model, &packed, 1.0, None).into_scalar().elem();
            (-loss, index.item(target))
        })
        .collect();
    scored.sort_by(|one, other| other.0.total_cmp(&one.0));
    assert_eq!(known.len(), scored.len());
    for (hypothesis, (score, codes)) in known.iter().zip(&scored) {
        assert!((hypothesis.score - score).abs() < 1e-5, "{} instead of {score}", hypothesis.score);
        assert_eq!(hypothesis.codes, *codes);
        assert_eq!(hypothesis.leaf, some.find(codes));
    }
    // With any code of the level, those are the codes of known items, and an id of another item is invalid.
    let per_position = Decoder { decoding: Decoding::PerPosition, ..all.among(&some) };
    let free = per_position.answers(&model, &read).remove(0);
    assert!(
        free.iter().all(|h| h.codes.iter().enumerate().all(|(level, code)| some.level_codes(level).contains(code)))
    );
    assert!(free.iter().all(|h| h.leaf == some.find(&h.codes)));
}

fn softmax_over_existing_items_is_a_distribution(case: &Case) {
    let (index, trie) = (&case.dataset.index, Trie::new(&case.dataset.index));
    let continuations = Continuations::new(&trie, &case.vocabulary);
    let writer = PromptWriter { existing: Some((&trie, &continuations)), ..case.writer(20) };
    let user = case.dataset.stages[1].participants().next().unwrap();
    let example = user.test().unwrap();
    let plain = case.model.clone().map(&|t: Tensor<Tracked, 2>| t.inner());
    let probabilities = |softmax| {
        let decoding = Decoding::Trie;
        let decoder =
            Decoder { vocabulary: &case.vocabulary, index, trie: &trie, decoding, softmax, beams: trie.leaves() };
        let list = decoder.search(&plain.clone().into(), &[writer.question(example.history)]).remove(0);
        assert_eq!(list.len(), trie.leaves());
        let target = list.iter().find(|h| h.codes == index.item(example.target)).unwrap().score;
        (list.iter().map(|h| (h.score * (index.levels + 1) as f64).exp()).sum::<f64>(), target)
    };
    let (total, target) = probabilities(Softmax::ExistingItems);
    assert!((total - 1.0).abs() < 1e-5, "all items together: {total}");
    let packed = Packed::new(&[writer.example(example)]);
    let loss: f64 = cross_entropy(&case.model, &packed, 1.0, None).into_scalar().elem();
    assert!((loss + target).abs() < 1e-5, "loss {loss}, log-probability {target}");
    let (total, _) = probabilities(Softmax::AllTokens);
    assert!(total < 0.5, "over all tokens most of it goes to ids that no item has: {total}");
}
