//! The fused CPU operations against the plain ones, values and gradients.

use std::sync::Arc;

use burn::backend::{Autodiff, Flex};
use burn::tensor::{FloatDType, Int, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    AdamWStep, Divergence, Dropout, Expert, Group, Heads, Kernels, Mixture, Routing, mixture, plain, simd, stored,
};
use crate::model::packing::{Branch, Packed, Sequence};

type Tracked = Autodiff<Flex>;

fn random(rows: usize, columns: usize, seed: u64) -> Tensor<Tracked, 2> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> = (0..rows * columns).map(|_| random.random_range(-1.5..1.5)).collect();
    Tensor::from_data(TensorData::new(values, [rows, columns]), &Default::default())
}

fn values<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f32> {
    tensor.into_data().into_vec().expect("float32")
}

fn assert_close(name: &str, a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len(), "{name}: sizes");
    let scale = b.iter().fold(1e-3f32, |m, v| m.max(v.abs()));
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= tolerance * scale, "{name}[{i}]: {x} instead of {y} (largest {scale})");
    }
}

/// Compares an operation's two forms: values, and gradients of all inputs for a random weighting of the outputs.
fn compare(
    name: &str,
    inputs: &[Tensor<Tracked, 2>],
    fused: impl Fn(&[Tensor<Tracked, 2>]) -> Tensor<Tracked, 2>,
    plain: impl Fn(&[Tensor<Tracked, 2>]) -> Tensor<Tracked, 2>,
) {
    let run = |f: &dyn Fn(&[Tensor<Tracked, 2>]) -> Tensor<Tracked, 2>| {
        let leaves: Vec<_> = inputs.iter().map(|t| t.clone().detach().require_grad()).collect();
        let output = f(&leaves);
        let [rows, columns] = output.dims();
        let gradients = (output.clone() * random(rows, columns, 99)).sum().backward();
        let gradients: Vec<_> = leaves.iter().map(|l| l.grad(&gradients).map(values)).collect();
        (values(output.inner()), gradients)
    };
    let ((a, da), (b, db)) = (run(&fused), run(&plain));
    assert_close(name, &a, &b, 1e-5);
    for (i, (x, y)) in da.iter().zip(&db).enumerate() {
        let (x, y) = (x.as_ref().expect("gradient"), y.as_ref().expect("gradient"));
        assert_close(&format!("{name}: gradient {i}"), x, y, 2e-5);
    }
}

#[test]
fn norm_projection_rotation_and_gate() {
    let (x, w) = (random(70, 24, 1), random(1, 24, 2));
    compare(
        "rms_norm",
        &[x.clone(), w],
        |t| Tracked::rms_norm(t[0].clone(), t[1].clone(), 1e-5),
        |t| plain::rms_norm(t[0].clone(), t[1].clone(), 1e-5),
    );
    let weight = random(40, 24, 3);
    compare(
        "project",
        &[x.clone(), weight],
        |t| Tracked::project(t[0].clone(), t[1].clone()),
        |t| plain::linear(t[0].clone(), t[1].clone()),
    );
    let (cos, sin) = (random(70, 4, 4), random(70, 4, 5));
    let rotate = |f: fn(Tensor<Tracked, 2>, Tensor<Tracked, 2>, Tensor<Tracked, 2>) -> Tensor<Tracked, 2>| {
        let (cos, sin) = (cos.clone(), sin.clone());
        move |t: &[Tensor<Tracked, 2>]| f(t[0].clone(), cos.clone(), sin.clone())
    };
    compare("rotate", std::slice::from_ref(&x), rotate(Tracked::rotate), rotate(plain::rotate));
    let gate = [x.clone().mul_scalar(2.0), random(70, 24, 6)];
    compare(
        "swiglu",
        &gate,
        |t| Tracked::swiglu(t[0].clone(), t[1].clone()),
        |t| plain::swiglu(t[0].clone(), t[1].clone()),
    );
    compare(
        "geglu",
        &gate,
        |t| Tracked::geglu(t[0].clone(), t[1].clone()),
        |t| plain::geglu(t[0].clone(), t[1].clone()),
    );
    compare(
        "soft_cap",
        &[x.mul_scalar(4.0)],
        |t| Tracked::soft_cap(t[0].clone(), 2.5),
        |t| plain::soft_cap(t[0].clone(), 2.5),
    );
}

/// Values by their definitions in float64, and gradients by central differences of these.
#[test]
fn gelu_and_caps_are_what_they_are_called() {
    let gelu = |x: f64| 0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh());
    let cap = |x: f64| 2.5 * (x / 2.5).tanh();
    let at: Vec<f32> = (-80..=80).map(|i| i as f32 / 10.0).collect();
    let ones = || Tensor::<Tracked, 2>::ones([1, 161], &Default::default());
    type Operation = Box<dyn Fn(Tensor<Tracked, 2>) -> Tensor<Tracked, 2>>;
    type Exact<'a> = &'a dyn Fn(f64) -> f64;
    let operations: [(&str, Exact<'_>, Operation); 2] = [
        ("geglu", &gelu, Box::new(move |x| Tracked::geglu(x, ones()))),
        ("soft_cap", &cap, Box::new(|x| Tracked::soft_cap(x, 2.5))),
    ];
    for (name, exact, operation) in operations {
        let x =
            Tensor::<Tracked, 2>::from_data(TensorData::new(at.clone(), [1, 161]), &Default::default()).require_grad();
        let y = operation(x.clone());
        let slope = values(x.grad(&y.clone().sum().backward()).expect("gradient"));
        for ((x, y), slope) in at.iter().map(|&x| f64::from(x)).zip(values(y.inner())).zip(slope) {
            let expected = (exact(x + 1e-6) - exact(x - 1e-6)) / 2e-6;
            assert!((f64::from(y) - exact(x)).abs() < 2e-6, "{name}({x}) = {y}");
            assert!(
                (f64::from(slope) - expected).abs() < 2e-6,
                "slope of {name} at {x}: {slope} instead of {expected}"
            );
        }
    }
    // Where the polynomial and the other form meet, and where nothing but the sign is left.
    for x in [1e-7f32, 1e-3, 0.3, 0.624_99, 0.625_01, 1.0, 5.0, 40.0] {
        let relative = f64::from(simd::tanh(x)) / f64::from(x).tanh() - 1.0;
        assert!(relative.abs() < 2e-7, "tanh({x}) is {relative:e} off");
        assert_eq!(simd::tanh(-x), -simd::tanh(x));
    }
}

#[test]
fn lora_without_dropout() {
    let inputs = [random(70, 24, 1), random(40, 24, 2), random(4, 24, 3), random(40, 4, 4)];
    compare(
        "lora_linear",
        &inputs,
        |t| Tracked::lora_linear(t[0].clone(), t[1].clone(), t[2].clone(), t[3].clone(), 2.0, None),
        |t| plain::lora_linear(t[0].clone(), t[1].clone(), t[2].clone(), t[3].clone(), 2.0, None),
    );
}

/// A frozen matrix of half precision counts as its rounded numbers; each form against the plain one on those.
#[test]
fn projections_of_half_precision() {
    for kind in [FloatDType::F16, FloatDType::BF16] {
        let half = random(40, 24, 2).cast(kind);
        let rounded = half.clone().cast(FloatDType::F32);
        assert!(values(rounded.clone().inner()) != values(random(40, 24, 2).inner()), "{kind:?} rounds");
        let inputs = [random(70, 24, 1), random(4, 24, 3), random(40, 4, 4)];
        compare(
            &format!("lora_linear, {kind:?}"),
            &inputs,
            |t| Tracked::lora_linear(t[0].clone(), half.clone(), t[1].clone(), t[2].clone(), 2.0, None),
            |t| plain::lora_linear(t[0].clone(), rounded.clone(), t[1].clone(), t[2].clone(), 2.0, None),
        );
        let plain = |t: &[Tensor<Tracked, 2>]| plain::linear(t[0].clone(), rounded.clone());
        let name = format!("project, {kind:?}");
        compare(&name, &inputs[..1], |t| Tracked::project(t[0].clone(), half.clone()), plain);
        compare(&name, &inputs[..1], |t| stored::project(t[0].clone(), half.clone()), plain);
        // A part of the rows, as the head is multiplied in pieces.
        let part = Flex::project(inputs[0].clone().inner(), half.clone().inner().narrow(0, 8, 5));
        let whole = plain::linear(inputs[0].clone().inner(), rounded.inner()).narrow(1, 8, 5);
        assert_close("part", &values(part), &values(whole), 1e-5);
    }
}

/// With W = 0 and A, B identities the output is the dropped input itself, and the gradient the mask.
#[test]
fn dropout_keeps_the_expectation_and_gradients_follow_the_mask() {
    let (rows, width) = (400, 50);
    let identity = Tensor::<Tracked, 2>::eye(width, &Default::default());
    let ones = Tensor::<Tracked, 2>::ones([rows, width], &Default::default()).require_grad();
    let zero = Tensor::<Tracked, 2>::zeros([width, width], &Default::default());
    let dropout = |seed| Some(Dropout { probability: 0.2, seed });
    let run =
        |seed| Tracked::lora_linear(ones.clone(), zero.clone(), identity.clone(), identity.clone(), 1.0, dropout(seed));
    let output = run(5);
    let gradient = values(ones.grad(&output.clone().sum().backward()).expect("gradient"));
    let output = values(output.inner());
    assert_eq!(output, gradient, "the gradient of the input is the mask");
    assert!(output.iter().all(|&v| v == 0.0 || (v - 1.25).abs() < 1e-6));
    let mean = output.iter().sum::<f32>() / output.len() as f32;
    assert!((mean - 1.0).abs() < 0.02, "mean {mean}");
    assert_eq!(output, values(run(5).inner()), "the same seed gives the same mask");
    let other = values(run(6).inner());
    let both = output.iter().zip(&other).filter(|(a, b)| **a == 0.0 && **b == 0.0).count() as f32 / output.len() as f32;
    assert!((both - 0.04).abs() < 0.01, "masks of two seeds are independent: {both}");
}

fn sequences() -> Vec<Sequence> {
    let branch = |at, n: u32| Branch::unscored(at, (0..n).collect());
    vec![
        Sequence { prefix: (0..9).collect(), branches: vec![branch(1, 3), branch(5, 3), branch(9, 3)] },
        Sequence { prefix: (0..2).collect(), branches: vec![branch(2, 1)] },
        Sequence { prefix: vec![], branches: vec![branch(0, 7)] },
        // Longer than what is multiplied at once; the scored tokens see nothing of the history's second half.
        Sequence { prefix: (0..70).collect(), branches: vec![branch(12, 9), branch(20, 19), branch(3, 8)] },
    ]
}

#[test]
fn attention_over_shared_histories() {
    let packed = Packed::<Tracked>::new(&sequences());
    let tokens = packed.tokens.len();
    let inputs = [random(tokens, 120, 1), random(tokens, 40, 2), random(tokens, 40, 3)];
    let scored = [random(packed.scored.len(), 120, 4), inputs[1].clone(), inputs[2].clone()];
    let plain_heads = Heads { query: 6, key_value: 2, width: 20, scalar: 20.0, cap: None };
    let capped = Heads { scalar: 12.0, cap: Some(1.5), ..plain_heads };
    for (heads, window) in [(plain_heads, None), (plain_heads, Some(4)), (capped, None), (capped, Some(11))] {
        for (name, inputs) in [("all", &inputs), ("scored", &scored)] {
            let with = |fused: bool| {
                let packed = Packed::<Tracked>::new(&sequences());
                let plan = if name == "all" { packed.plan } else { packed.scored_plan };
                let plan = window.map_or(plan.clone(), |window| plan.within(window).expect("a window that narrows"));
                move |t: &[Tensor<Tracked, 2>]| {
                    let attend = if fused { Tracked::attend } else { plain::attention };
                    attend(t[0].clone(), t[1].clone(), t[2].clone(), heads, &plan)
                }
            };
            compare(&format!("attend of {name} tokens, {heads:?}, {window:?}"), inputs, with(true), with(false));
        }
    }
}

/// One token after the other, in float64: who sees whom is said by positions alone.
#[test]
fn a_window_hides_what_is_that_far_away() {
    let (tokens, window, width) = (9, 3, 4);
    let heads = Heads { query: 1, key_value: 1, width, scalar: 5.0, cap: Some(1.2) };
    let inputs = [1, 2, 3].map(|seed| random(tokens, width, seed));
    let row = Sequence { prefix: vec![], branches: vec![Branch::unscored(0, vec![0; tokens])] };
    let plan = Packed::<Tracked>::new(&[row]).plan.within(window).expect("a window that narrows");
    let [q, k, v] = inputs.each_ref().map(|t| values(t.clone().inner()).into_iter().map(f64::from).collect::<Vec<_>>());
    let mut expected = vec![0.0f32; tokens * width];
    for query in 0..tokens {
        let seen: Vec<usize> = (0..=query).filter(|key| query - key < window).collect();
        let score = |key: usize| {
            let dot: f64 = (0..width).map(|i| q[query * width + i] * k[key * width + i]).sum();
            (1.2 * (dot / 5f64.sqrt() / 1.2).tanh()).exp()
        };
        let sum: f64 = seen.iter().map(|&key| score(key)).sum();
        for i in 0..width {
            expected[query * width + i] =
                seen.iter().map(|&key| score(key) / sum * v[key * width + i]).sum::<f64>() as f32;
        }
    }
    let [q, k, v] = inputs;
    assert_close(
        "plain",
        &values(plain::attention(q.clone(), k.clone(), v.clone(), heads, &plan).inner()),
        &expected,
        1e-5,
    );
    assert_close("fused", &values(Tracked::attend(q, k, v, heads, &plan).inner()), &expected, 1e-5);
}

#[test]
fn likelihood_and_log_sum() {
    let logits = random(37, 101, 1).mul_scalar(8.0);
    let targets: Vec<i32> = (0..37).map(|i| i * 7 % 101).collect();
    let targets = Tensor::<Tracked, 1, Int>::from_data(TensorData::from(targets.as_slice()), &Default::default());
    compare(
        "negative_log_likelihood",
        std::slice::from_ref(&logits),
        |t| Tracked::negative_log_likelihood(t[0].clone(), targets.clone(), 0.8, &[]),
        |t| plain::negative_log_likelihood(t[0].clone(), targets.clone(), 0.8, &[]),
    );
    let among: Vec<Arc<[u32]>> =
        (0..37).map(|i| (0..101).filter(|c| *c == i * 7 % 101 || c % 5 == i % 5).collect()).collect();
    compare(
        "negative_log_likelihood among some",
        std::slice::from_ref(&logits),
        |t| Tracked::negative_log_likelihood(t[0].clone(), targets.clone(), 0.8, &among),
        |t| plain::negative_log_likelihood(t[0].clone(), targets.clone(), 0.8, &among),
    );
    let certain = vec![Arc::from([4]); 1];
    let one = Tensor::<Flex, 1, Int>::from_data(TensorData::from([4i32].as_slice()), &Default::default());
    let loss = Flex::negative_log_likelihood(random(1, 9, 3).inner(), one, 0.8, &certain);
    assert_eq!(values(loss), [0.0], "the only candidate is certain");
    let logits = logits.inner();
    assert_close("log_sum_exp", &values(Flex::log_sum_exp(logits.clone())), &values(plain::log_sum_exp(logits)), 1e-6);
}

#[test]
fn adamw_steps() {
    let step = AdamWStep {
        learning_rate: 0.01,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.1,
        step: 3,
        gradient_scale: 0.5,
    };
    let state = || (random(9, 5, 1).inner(), random(9, 5, 2).inner(), random(9, 5, 3).inner().abs());
    let gradient = random(9, 5, 4).inner();
    let (a, b) = (Flex::adamw(state(), gradient.clone(), step), plain::adamw(state(), gradient, step));
    for (name, x, y) in [("value", a.0, b.0), ("first", a.1, b.1), ("second", a.2, b.2)] {
        assert_close(name, &values(x), &values(y), 1e-6);
    }
}

/// The fused form, called with another group beside this one, and the plain one.
fn both_softmax_kl(
    now: &Tensor<Flex, 2>,
    before: &Tensor<Flex, 2>,
    temperature: f64,
    smoothing: f64,
) -> [(&'static str, Divergence<Flex>); 2] {
    let group = || Group { current: now.clone(), previous: before.clone() };
    let other = Group { current: random(3, 3, 7).inner(), previous: random(3, 3, 8).inner() };
    let fused = Flex::softmax_kl(vec![other, group()], temperature, smoothing).pop().expect("two groups");
    [("fused", fused), ("plain", plain::softmax_kl(group(), temperature, smoothing))]
}

/// The divergence by its definition in float64, and its gradient by central differences.
#[test]
fn softmax_kl_is_the_divergence_and_its_gradient() {
    for (temperature, smoothing) in [(1.0, 0.0), (0.5, 0.0), (1.0, 1e-2)] {
        let (now, before) = (random(4, 6, 1).inner(), random(4, 6, 2).inner());
        let divergence = |now: &[f64]| {
            let softmax = |v: &[f64]| {
                let e: Vec<f64> = v.iter().map(|x| (x / temperature).exp()).collect();
                let sum: f64 = e.iter().sum();
                let total = 1.0 + v.len() as f64 * smoothing;
                e.iter().map(|x| (x / sum + smoothing) / total).collect::<Vec<_>>()
            };
            let before: Vec<f64> = values(before.clone()).iter().map(|&v| f64::from(v)).collect();
            softmax(now).iter().zip(softmax(&before)).map(|(p, q)| p * (p / q).ln()).sum::<f64>()
        };
        let point: Vec<f64> = values(now.clone()).iter().map(|&v| f64::from(v)).collect();
        for (form, Divergence { value, gradient }) in both_softmax_kl(&now, &before, temperature, smoothing) {
            assert_close(form, &values(value), &[divergence(&point) as f32], 1e-5);
            let numeric: Vec<f32> = (0..point.len())
                .map(|i| {
                    let moved = |by: f64| {
                        let mut moved = point.clone();
                        moved[i] += by;
                        divergence(&moved)
                    };
                    ((moved(1e-5) - moved(-1e-5)) / 2e-5) as f32
                })
                .collect();
            assert_close(form, &values(gradient), &numeric, 1e-4);
        }
    }
}

/// Updates of 1e-4 give a divergence of about 5e-9, which must not drown in rounding.
#[test]
fn softmax_kl_of_tiny_updates_is_half_the_weighted_variance() {
    let before = random(8, 128, 1).inner().mul_scalar(0.02);
    let update = random(8, 128, 2).inner().mul_scalar(1e-4);
    let now = before.clone() + update;
    let (now64, before64): (Vec<f64>, Vec<f64>) =
        values(now.clone()).iter().zip(values(before.clone())).map(|(&a, b)| (f64::from(a), f64::from(b))).unzip();
    let weights: Vec<f64> = before64.iter().map(|v| v.exp()).collect();
    let total: f64 = weights.iter().sum();
    let mean: f64 = weights.iter().zip(now64.iter().zip(&before64)).map(|(w, (a, b))| w / total * (a - b)).sum();
    let variance: f64 =
        weights.iter().zip(now64.iter().zip(&before64)).map(|(w, (a, b))| w / total * (a - b - mean).powi(2)).sum();
    for (form, Divergence { value, .. }) in both_softmax_kl(&now, &before, 1.0, 0.0) {
        let value = f64::from(values(value)[0]);
        assert!((value / (variance / 2.0) - 1.0).abs() < 1e-3, "{form}: {value:e} instead of {:e}", variance / 2.0);
    }
}

fn experts(routing: Routing) -> Mixture<Tracked> {
    let expert = |number: u64| Expert {
        gate: random(5, 12, 10 * number),
        up: random(5, 12, 10 * number + 1),
        down: random(12, 5, 10 * number + 2),
    };
    Mixture { router: random(6, 12, 3).mul_scalar(0.4), experts: (1..=6).map(expert).collect(), routing }
}

const ROUTINGS: [Routing; 3] = [
    Routing { chosen: 2, normalised: true },
    Routing { chosen: 3, normalised: false },
    Routing { chosen: 1, normalised: true },
];

#[test]
fn a_mixture_of_experts_gathers_tokens_by_expert() {
    for routing in ROUTINGS {
        let own = experts(routing);
        for tokens in [1, 40] {
            compare(
                "mixture",
                &[random(tokens, 12, 1)],
                |t| Tracked::mixture(t[0].clone(), &own),
                |t| mixture::mixture(t[0].clone(), &own),
            );
        }
        let none = Tensor::<Tracked, 2>::zeros([0, 12], &Default::default());
        assert_eq!(Tracked::mixture(none.clone(), &own).dims(), [0, 12]);
        assert_eq!(mixture::mixture(none, &own).dims(), [0, 12]);
    }
}

/// What a token gives, by the definition in float64, summed up with factors.
fn mixture_in_f64(mixture: &Mixture<Flex>, x: &[f64], factors: &[f64]) -> f64 {
    let times = |weight: &Tensor<Flex, 2>, x: &[f64]| -> Vec<f64> {
        let rows = values(weight.clone());
        rows.chunks(x.len()).map(|row| row.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum()).collect()
    };
    let likely: Vec<f64> = times(&mixture.router, x).iter().map(|logit| logit.exp()).collect();
    let mut order: Vec<usize> = (0..likely.len()).collect();
    order.sort_by(|&a, &b| likely[b].total_cmp(&likely[a]));
    let chosen = &order[..mixture.routing.chosen];
    let among: f64 =
        if mixture.routing.normalised { chosen.iter().map(|&e| likely[e]).sum() } else { likely.iter().sum() };
    let given = |&number: &usize| {
        let expert = &mixture.experts[number];
        let (gate, up) = (times(&expert.gate, x), times(&expert.up, x));
        let inner: Vec<f64> = gate.iter().zip(up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
        let out = times(&expert.down, &inner);
        likely[number] / among * out.iter().zip(factors).map(|(out, factor)| out * factor).sum::<f64>()
    };
    chosen.iter().map(given).sum()
}

#[test]
fn gradients_of_a_mixture_are_central_differences() {
    for routing in ROUTINGS {
        let own = experts(routing);
        let (x, factors) = (random(4, 12, 21).require_grad(), random(4, 12, 22));
        let y = (Tracked::mixture(x.clone(), &own) * factors.clone()).sum();
        let gradient = values(x.grad(&y.backward()).expect("gradient"));
        let own = own.map(&|tensor: Tensor<Tracked, 2>| tensor.inner());
        let wide = |tensor: Tensor<Tracked, 2>| values(tensor.inner()).into_iter().map(f64::from).collect::<Vec<_>>();
        let (x, factors) = (wide(x), wide(factors));
        let numeric: Vec<f32> = (0..x.len())
            .map(|place| {
                let token = place / 12 * 12..place / 12 * 12 + 12;
                let at = |by: f64| {
                    let mut moved = x[token.clone()].to_vec();
                    moved[place % 12] += by;
                    mixture_in_f64(&own, &moved, &factors[token.clone()])
                };
                ((at(1e-5) - at(-1e-5)) / 2e-5) as f32
            })
            .collect();
        assert_close("mixture", &gradient, &numeric, 1e-5);
    }
}
