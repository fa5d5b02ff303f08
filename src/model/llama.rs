//! The decoder of the Llama family on packed tokens, with LoRA on its seven projections.

mod recompute;

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::config::{HEAD_NORMS, LlamaConfig};
use super::kernels::{Dropout, Heads, Kernels};
use super::packing::{AttentionPlan, Packed};

/// A decoder with its weights on a device.
#[derive(Debug, Clone)]
pub struct Llama<B: Backend> {
    pub config: LlamaConfig,
    /// Factor `alpha / rank` on the adapters' update.
    pub lora_scale: f64,
    /// `[1, 1 + past adapters]`: learned factors on the update of the current adapter, then of each past one, whose ranks
    /// are equal. None where all are 1.
    pub magnitudes: Option<Tensor<B, 2>>,
    pub embedding: Rows<B>,
    pub layers: Vec<Layer<B>>,
    /// `[1, width]`
    pub norm: Tensor<B, 2>,
    /// None where the head is the embedding.
    pub head: Option<Rows<B>>,
}

/// Rows of the embedding or the head: those the base model came with, and those added for new tokens.
#[derive(Debug, Clone)]
pub struct Rows<B: Backend> {
    /// `[base vocabulary, width]`
    pub base: Option<Tensor<B, 2>>,
    /// `[new tokens, width]`; their token numbers follow the base vocabulary's.
    pub added: Option<Tensor<B, 2>>,
}

/// One decoder layer.
#[derive(Debug, Clone)]
pub struct Layer<B: Backend> {
    /// `[1, width]`
    pub input_norm: Tensor<B, 2>,
    pub q: Linear<B>,
    pub k: Linear<B>,
    pub v: Linear<B>,
    pub o: Linear<B>,
    /// Where queries and keys are normalised, head by head.
    pub head_norms: Option<HeadNorms<B>>,
    /// `[1, width]`
    pub post_norm: Tensor<B, 2>,
    pub gate: Linear<B>,
    pub up: Linear<B>,
    pub down: Linear<B>,
}

/// The norms of a layer's queries and keys, each `[1, head width]`.
#[derive(Debug, Clone)]
pub struct HeadNorms<B: Backend> {
    pub q: Tensor<B, 2>,
    pub k: Tensor<B, 2>,
}

/// A projection, what a LoRA adapter adds to it, and what past adapters add that are no longer trained.
#[derive(Debug, Clone)]
pub struct Linear<B: Backend> {
    /// `[out, in]`
    pub weight: Tensor<B, 2>,
    /// `[1, out]`
    pub bias: Option<Tensor<B, 2>>,
    pub lora: Option<LoraPair<B>>,
    pub past: Option<LoraPair<B>>,
}

/// The two factors of a low-rank update.
#[derive(Debug, Clone)]
pub struct LoraPair<B: Backend> {
    /// `[rank, in]`
    pub a: Tensor<B, 2>,
    /// `[out, rank]`
    pub b: Tensor<B, 2>,
}

/// What a parameter is, for those who choose which are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Weights and norms of the base model.
    Base,
    /// Rows that the base model came with.
    BaseRows,
    /// Rows of added tokens.
    AddedRows,
    LoraA,
    LoraB,
    /// A past adapter that the forward pass adds.
    Past,
    /// Factors on the adapters.
    Magnitudes,
}

/// The projection that stands for all that read the same input as a module: `…q_proj` for `…v_proj`.
pub fn input_site(module: &str) -> String {
    for (reader, first) in [("k_proj", "q_proj"), ("v_proj", "q_proj"), ("up_proj", "gate_proj")] {
        if let Some(stem) = module.strip_suffix(reader) {
            return format!("{stem}{first}");
        }
    }
    module.to_owned()
}

/// Names of the seven projections, as Hugging Face has them.
pub const PROJECTIONS: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

/// The first of the projections that read each of a layer's four inputs.
const INPUT_SITES: [&str; 4] = ["self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj"];

/// The sum over tokens of `x xᵀ`, `[in, in]`, of what a projection reads.
#[derive(Debug, Clone)]
pub struct InputMoment<B: Backend> {
    pub sum: Tensor<B, 2>,
    pub tokens: usize,
}

/// Called with a parameter's name, kind and tensor.
pub type Visit<'a, B> = dyn FnMut(&str, Kind, &mut Tensor<B, 2>) + 'a;

impl<B: Backend> Rows<B> {
    fn visit(&mut self, name: &str, f: &mut Visit<'_, B>) {
        if let Some(base) = &mut self.base {
            f(name, Kind::BaseRows, base);
        }
        if let Some(added) = &mut self.added {
            f(&format!("{name}.added"), Kind::AddedRows, added);
        }
    }

    fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Rows<C> {
        Rows { base: self.base.map(f), added: self.added.map(f) }
    }
}

impl<B: Backend> LoraPair<B> {
    fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> LoraPair<C> {
        LoraPair { a: f(self.a), b: f(self.b) }
    }
}

impl<B: Backend> Linear<B> {
    fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Linear<C> {
        Linear {
            weight: f(self.weight),
            bias: self.bias.map(f),
            lora: self.lora.map(|l| l.map(f)),
            past: self.past.map(|l| l.map(f)),
        }
    }
}

impl<B: Backend> Layer<B> {
    fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Layer<C> {
        Layer {
            input_norm: f(self.input_norm),
            q: self.q.map(f),
            k: self.k.map(f),
            v: self.v.map(f),
            o: self.o.map(f),
            head_norms: self.head_norms.map(|norms| HeadNorms { q: f(norms.q), k: f(norms.k) }),
            post_norm: f(self.post_norm),
            gate: self.gate.map(f),
            up: self.up.map(f),
            down: self.down.map(f),
        }
    }

    /// The seven projections in the order of [`PROJECTIONS`].
    pub fn projections_mut(&mut self) -> [&mut Linear<B>; 7] {
        [&mut self.q, &mut self.k, &mut self.v, &mut self.o, &mut self.gate, &mut self.up, &mut self.down]
    }

    /// See [`Self::projections_mut`].
    pub fn projections(&self) -> [&Linear<B>; 7] {
        [&self.q, &self.k, &self.v, &self.o, &self.gate, &self.up, &self.down]
    }
}

impl<B: Backend> Llama<B> {
    /// Goes through all parameters, always in the same order, under Hugging Face's names.
    pub fn visit(&mut self, f: &mut Visit<'_, B>) {
        self.embedding.visit("model.embed_tokens.weight", f);
        for (i, layer) in self.layers.iter_mut().enumerate() {
            f(&format!("model.layers.{i}.input_layernorm.weight"), Kind::Base, &mut layer.input_norm);
            f(&format!("model.layers.{i}.post_attention_layernorm.weight"), Kind::Base, &mut layer.post_norm);
            if let Some(norms) = &mut layer.head_norms {
                for (norm, name) in [&mut norms.q, &mut norms.k].into_iter().zip(HEAD_NORMS) {
                    f(&format!("model.layers.{i}.{name}.weight"), Kind::Base, norm);
                }
            }
            for (linear, projection) in layer.projections_mut().into_iter().zip(PROJECTIONS) {
                let name = format!("model.layers.{i}.{projection}");
                f(&format!("{name}.weight"), Kind::Base, &mut linear.weight);
                if let Some(bias) = &mut linear.bias {
                    f(&format!("{name}.bias"), Kind::Base, bias);
                }
                if let Some(lora) = &mut linear.lora {
                    f(&format!("{name}.lora_A.weight"), Kind::LoraA, &mut lora.a);
                    f(&format!("{name}.lora_B.weight"), Kind::LoraB, &mut lora.b);
                }
                if let Some(past) = &mut linear.past {
                    f(&format!("{name}.past_A.weight"), Kind::Past, &mut past.a);
                    f(&format!("{name}.past_B.weight"), Kind::Past, &mut past.b);
                }
            }
        }
        f("model.norm.weight", Kind::Base, &mut self.norm);
        if let Some(head) = &mut self.head {
            head.visit("lm_head.weight", f);
        }
        if let Some(magnitudes) = &mut self.magnitudes {
            f("magnitudes", Kind::Magnitudes, magnitudes);
        }
    }

    /// The same decoder with every tensor mapped, e.g. to a backend with automatic differentiation or from it.
    pub fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Llama<C> {
        Llama {
            config: self.config,
            lora_scale: self.lora_scale,
            magnitudes: self.magnitudes.map(f),
            embedding: self.embedding.map(f),
            layers: self.layers.into_iter().map(|l| l.map(f)).collect(),
            norm: f(self.norm),
            head: self.head.map(|h| h.map(f)),
        }
    }

    /// The device that holds the weights.
    pub fn device(&self) -> B::Device {
        self.norm.device()
    }
}

/// Keys and values of one layer, rotated, `[tokens, kv heads * head width]`.
#[derive(Debug, Clone)]
pub struct KeyValue<B: Backend> {
    pub key: Tensor<B, 2>,
    pub value: Tensor<B, 2>,
}

/// Rotations of packed tokens, `[tokens, head width / 2]`.
#[derive(Debug, Clone)]
struct Rotations<B: Backend> {
    cos: Tensor<B, 2>,
    sin: Tensor<B, 2>,
}

impl<B: Backend> Rotations<B> {
    fn new(config: &LlamaConfig, positions: &[u32], device: &B::Device) -> Self {
        let frequencies = config.rope.frequencies(config.head_width);
        let table = |f: fn(f64) -> f64| {
            let values: Vec<f32> =
                positions.iter().flat_map(|&p| frequencies.iter().map(move |w| f(f64::from(p) * w) as f32)).collect();
            Tensor::from_data(TensorData::new(values, [positions.len(), frequencies.len()]), device)
        };
        Self { cos: table(f64::cos), sin: table(f64::sin) }
    }
}

/// Seeds for each dropout of a forward pass in turn.
struct Dropouts(StepDropout);

impl Dropouts {
    /// The dropout of the next adapter's input.
    fn adapter(&mut self) -> Option<Dropout> {
        self.next(self.0.adapters)
    }

    /// What the residual stream is given, some of it dropped.
    fn residual<B: Kernels>(&mut self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        match self.next(self.0.residual) {
            None => x,
            Some(dropout) => B::drop_out(x, dropout),
        }
    }

    fn next(&mut self, probability: f64) -> Option<Dropout> {
        // SplitMix64's step: neighbouring places and steps get unrelated masks.
        self.0.seed = self.0.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut seed = self.0.seed;
        seed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        seed = (seed ^ (seed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (probability > 0.0).then_some(Dropout { probability, seed: seed ^ (seed >> 31) })
    }
}

impl<B: Kernels> Rows<B> {
    /// Embeds tokens: `[tokens, width]`.
    fn embed(&self, tokens: &[u32], device: &B::Device) -> Tensor<B, 2> {
        let index = |f: &dyn Fn(u32) -> i32| {
            let values: Vec<i32> = tokens.iter().map(|&t| f(t)).collect();
            Tensor::<B, 1, Int>::from_data(TensorData::from(values.as_slice()), device)
        };
        match (&self.base, &self.added) {
            (Some(rows), None) | (None, Some(rows)) => rows.clone().select(0, index(&|t| t as i32)),
            (Some(base), Some(added)) => {
                let first = base.dims()[0] as u32;
                let from_base = base.clone().select(0, index(&|t| if t < first { t as i32 } else { 0 }));
                let from_added = added.clone().select(0, index(&|t| t.saturating_sub(first) as i32));
                let is_added: Vec<f32> = tokens.iter().map(|&t| if t < first { 0.0 } else { 1.0 }).collect();
                let is_added = Tensor::<B, 2>::from_data(TensorData::new(is_added, [tokens.len(), 1]), device);
                from_base * is_added.clone().neg().add_scalar(1.0) + from_added * is_added
            }
            (None, None) => unreachable!("a model has base rows or added rows"),
        }
    }

    /// Logits of hidden states: `[rows, vocabulary]`.
    fn logits(&self, hidden: Tensor<B, 2>) -> Tensor<B, 2> {
        let parts: Vec<_> = [&self.base, &self.added]
            .into_iter()
            .flatten()
            .map(|rows| B::project(hidden.clone(), rows.clone()))
            .collect();
        if parts.len() == 1 { parts.into_iter().next().unwrap_or(hidden) } else { Tensor::cat(parts, 1) }
    }
}

impl<B: Kernels> Linear<B> {
    fn forward(&self, x: Tensor<B, 2>, pass: &mut Pass<'_, B>) -> Tensor<B, 2> {
        let scale = pass.scale;
        let times = |b: &Tensor<B, 2>, factors: Option<&Tensor<B, 2>>| match factors {
            None => b.clone(),
            Some(factors) => b.clone() * factors.clone(),
        };
        let (current, past) = pass.factors.as_ref().map(|factors| (&factors.current, &factors.past)).unzip();
        let past = self
            .past
            .as_ref()
            .map(|p| B::project(B::project(x.clone(), p.a.clone()), times(&p.b, past)).mul_scalar(scale));
        let y = match &self.lora {
            None => B::project(x, self.weight.clone()),
            Some(l) => {
                let b = times(&l.b, current);
                B::lora_linear(x, self.weight.clone(), l.a.clone(), b, scale, pass.dropouts.adapter())
            }
        };
        let y = match &self.bias {
            None => y,
            Some(bias) => y + bias.clone(),
        };
        match past {
            None => y,
            Some(past) => y + past,
        }
    }
}

/// Normalises each head of queries or keys `[tokens, heads * width]`.
fn normalise_heads<B: Kernels>(x: Tensor<B, 2>, norm: &Tensor<B, 2>, epsilon: f64) -> Tensor<B, 2> {
    let [tokens, all] = x.dims();
    let width = norm.dims()[1];
    B::rms_norm(x.reshape([tokens * all / width, width]), norm.clone(), epsilon).reshape([tokens, all])
}

/// Magnitudes as factors on the columns of B.
struct Factors<B: Backend> {
    /// `[1, 1]`
    current: Tensor<B, 2>,
    /// `[1, ranks of all past adapters]`
    past: Tensor<B, 2>,
}

impl<B: Backend> Factors<B> {
    /// The magnitudes of a model whose past adapters have so many ranks together.
    fn new(magnitudes: &Tensor<B, 2>, ranks: usize) -> Self {
        let current = magnitudes.clone().narrow(1, 0, 1);
        let adapters = magnitudes.dims()[1] - 1;
        let past = match adapters {
            0 => current.clone(),
            _ => magnitudes
                .clone()
                .narrow(1, 1, adapters)
                .reshape([adapters, 1])
                .expand([adapters, ranks / adapters])
                .reshape([1, ranks]),
        };
        Self { current, past }
    }
}

/// The tokens that a layer's output is needed at: places among all, rotations, and the plan of what they see.
struct Chosen<'a, B: Backend> {
    index: &'a Tensor<B, 1, Int>,
    rotations: &'a Rotations<B>,
    plan: &'a AttentionPlan<B>,
}

/// The scored tokens of a batch: where they lie, and their rotations.
struct Scored<B: Backend> {
    index: Tensor<B, 1, Int>,
    rotations: Rotations<B>,
}

impl<B: Backend> Scored<B> {
    fn new(config: &LlamaConfig, packed: &Packed<B>, device: &B::Device) -> Self {
        let places: Vec<i32> = packed.scored.iter().map(|&s| s as i32).collect();
        let positions: Vec<u32> = packed.scored.iter().map(|&s| packed.positions[s as usize]).collect();
        Self {
            index: Tensor::from_data(TensorData::from(places.as_slice()), device),
            rotations: Rotations::new(config, &positions, device),
        }
    }

    fn chosen<'a>(&'a self, packed: &'a Packed<B>) -> Chosen<'a, B> {
        Chosen { index: &self.index, rotations: &self.rotations, plan: &packed.scored_plan }
    }
}

/// What is the same for all layers of one forward pass.
struct Pass<'a, B: Backend> {
    heads: Heads,
    scale: f64,
    epsilon: f64,
    keys: Rotations<B>,
    plan: &'a AttentionPlan<B>,
    dropouts: Dropouts,
    factors: Option<Factors<B>>,
    inputs: Option<Inputs<'a, B>>,
}

/// What is taken of the projections' inputs.
struct Inputs<'a, B: Backend> {
    /// From an input `[tokens, in]`.
    take: &'a dyn Fn(&Tensor<B, 2>) -> Tensor<B, 2>,
    /// In the order of the layers and of [`INPUT_SITES`].
    taken: Vec<Tensor<B, 2>>,
}

impl<B: Backend> Pass<'_, B> {
    /// Looks at what a projection reads, where that is asked for.
    fn look(&mut self, x: &Tensor<B, 2>) {
        if let Some(inputs) = &mut self.inputs {
            let taken = (inputs.take)(x);
            inputs.taken.push(taken);
        }
    }
}

impl<B: Kernels> Layer<B> {
    /// Hidden states of the tokens that ask, after the layer.
    ///
    /// `x` are all tokens; where some are `chosen` (the last layer computes scored tokens only), only they are asked for. `cached` comes before this call's own keys.
    fn forward(
        &self,
        x: Tensor<B, 2>,
        chosen: Option<&Chosen<'_, B>>,
        cached: Option<&KeyValue<B>>,
        pass: &mut Pass<'_, B>,
    ) -> (Tensor<B, 2>, KeyValue<B>) {
        let h = B::rms_norm(x.clone(), self.input_norm.clone(), pass.epsilon);
        pass.look(&h);
        let (x, asking, rotations, plan) = match chosen {
            None => (x, h.clone(), pass.keys.clone(), pass.plan),
            Some(Chosen { index, rotations, plan }) => {
                (x.select(0, (*index).clone()), h.clone().select(0, (*index).clone()), (*rotations).clone(), *plan)
            }
        };
        let q = self.q.forward(asking, pass);
        let k = self.k.forward(h.clone(), pass);
        let v = self.v.forward(h, pass);
        let (q, k) = match &self.head_norms {
            None => (q, k),
            Some(norms) => (normalise_heads(q, &norms.q, pass.epsilon), normalise_heads(k, &norms.k, pass.epsilon)),
        };
        let q = B::rotate(q, rotations.cos, rotations.sin);
        let own = KeyValue { key: B::rotate(k, pass.keys.cos.clone(), pass.keys.sin.clone()), value: v };
        let (key, value) = match cached {
            None => (own.key.clone(), own.value.clone()),
            Some(c) => (
                Tensor::cat(vec![c.key.clone(), own.key.clone()], 0),
                Tensor::cat(vec![c.value.clone(), own.value.clone()], 0),
            ),
        };
        let mixed = B::attend(q, key, value, pass.heads, plan);
        pass.look(&mixed);
        let mixed = self.o.forward(mixed, pass);
        let x = x + pass.dropouts.residual(mixed);
        let h = B::rms_norm(x.clone(), self.post_norm.clone(), pass.epsilon);
        pass.look(&h);
        let gate = self.gate.forward(h.clone(), pass);
        let up = self.up.forward(h, pass);
        let inner = B::swiglu(gate, up);
        pass.look(&inner);
        let fed = self.down.forward(inner, pass);
        (x + pass.dropouts.residual(fed), own)
    }
}

/// Dropout of one training step: its probabilities and the step's seed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepDropout {
    /// On the adapters' inputs.
    pub adapters: f64,
    /// On the embedded tokens and on what attention and feed-forward add to them.
    pub residual: f64,
    pub seed: u64,
}

impl<B: Kernels> Llama<B> {
    /// Logits `[scored, vocabulary]` of the scored tokens of a packed batch.
    pub fn logits(&self, packed: &Packed<B>, dropout: Option<StepDropout>) -> Tensor<B, 2> {
        self.scored_logits(packed, dropout, &mut |_| {})
    }

    /// As [`Self::logits`], with the keys and values of every token of every layer.
    pub fn prefill(&self, packed: &Packed<B>, dropout: Option<StepDropout>) -> (Tensor<B, 2>, Vec<KeyValue<B>>) {
        let mut cache = Vec::with_capacity(self.layers.len());
        let logits = self.scored_logits(packed, dropout, &mut |own| cache.push(own));
        (logits, cache)
    }

    /// The last hidden state of every token of a packed batch, after the final norm: `[tokens, width]`.
    pub fn hidden(&self, packed: &Packed<B>) -> Tensor<B, 2> {
        let x = self.embedding.embed(&packed.tokens, &self.device());
        let mut pass = self.pass(&packed.positions, &packed.plan, None);
        let x = self.decode(x, None, None, &mut pass, &mut |_| {});
        B::rms_norm(x, self.norm.clone(), self.config.norm_epsilon)
    }

    fn scored_logits(
        &self,
        packed: &Packed<B>,
        dropout: Option<StepDropout>,
        keep: &mut dyn FnMut(KeyValue<B>),
    ) -> Tensor<B, 2> {
        let device = self.device();
        let x = self.embedding.embed(&packed.tokens, &device);
        let scored = Scored::new(&self.config, packed, &device);
        let mut pass = self.pass(&packed.positions, &packed.plan, dropout);
        let x = self.decode(x, Some(&scored.chosen(packed)), None, &mut pass, keep);
        self.head_logits(x)
    }

    /// Second moments of what the projections read of a packed batch, by [`input_site`].
    pub fn input_moments(&self, packed: &Packed<B>) -> Vec<(String, InputMoment<B>)> {
        let moments = self.take_inputs(packed, &|x| x.clone().transpose().matmul(x.clone()));
        moments.map(|(site, sum)| (site, InputMoment { sum, tokens: packed.tokens.len() })).collect()
    }

    /// What a module reads at given places of a packed batch, `[places, in]`; none where there is no such module.
    pub fn inputs_at(&self, packed: &Packed<B>, module: &str, places: &[usize]) -> Option<Tensor<B, 2>> {
        let places: Vec<i32> = places.iter().map(|&place| place as i32).collect();
        let index = Tensor::<B, 1, Int>::from_data(TensorData::from(places.as_slice()), &self.device());
        let site = input_site(module);
        self.take_inputs(packed, &|x| x.clone().select(0, index.clone()))
            .find(|(name, _)| *name == site)
            .map(|(_, x)| x)
    }

    /// What `take` makes of each input of a packed batch, by [`input_site`].
    fn take_inputs(
        &self,
        packed: &Packed<B>,
        take: &dyn Fn(&Tensor<B, 2>) -> Tensor<B, 2>,
    ) -> impl Iterator<Item = (String, Tensor<B, 2>)> + use<B> {
        let x = self.embedding.embed(&packed.tokens, &self.device());
        let mut pass = self.pass(&packed.positions, &packed.plan, None);
        pass.inputs = Some(Inputs { take, taken: Vec::new() });
        self.decode(x, None, None, &mut pass, &mut |_| {});
        let sites =
            (0..self.layers.len()).flat_map(|layer| INPUT_SITES.map(|site| format!("model.layers.{layer}.{site}")));
        sites.zip(pass.inputs.map(|inputs| inputs.taken).unwrap_or_default())
    }

    /// Logits of every given token, each of which sees what `plan` says of the cached keys and this call's own
    /// (which come after them), and this call's keys and values.
    pub fn step(
        &self,
        tokens: &[u32],
        positions: &[u32],
        plan: &AttentionPlan<B>,
        cached: &[KeyValue<B>],
    ) -> (Tensor<B, 2>, Vec<KeyValue<B>>) {
        let x = self.embedding.embed(tokens, &self.device());
        let mut own = Vec::with_capacity(self.layers.len());
        let mut pass = self.pass(positions, plan, None);
        let x = self.decode(x, None, Some(cached), &mut pass, &mut |layer| own.push(layer));
        (self.head_logits(x), own)
    }

    fn factors(&self) -> Option<Factors<B>> {
        let past = self.layers.first().and_then(|layer| layer.q.past.as_ref());
        let ranks = past.map_or(0, |past| past.a.dims()[0]);
        self.magnitudes.as_ref().map(|magnitudes| Factors::new(magnitudes, ranks))
    }

    fn pass<'a>(&self, positions: &[u32], plan: &'a AttentionPlan<B>, dropout: Option<StepDropout>) -> Pass<'a, B> {
        Pass {
            heads: self.config.attention_heads(),
            scale: self.lora_scale,
            epsilon: self.config.norm_epsilon,
            keys: Rotations::new(&self.config, positions, &self.device()),
            plan,
            dropouts: Dropouts(dropout.unwrap_or_default()),
            factors: self.factors(),
            inputs: None,
        }
    }

    /// All layers; `keep` is given each one's own keys and values, which take memory as long as they are kept.
    fn decode(
        &self,
        mut x: Tensor<B, 2>,
        last: Option<&Chosen<'_, B>>,
        cached: Option<&[KeyValue<B>]>,
        pass: &mut Pass<'_, B>,
        keep: &mut dyn FnMut(KeyValue<B>),
    ) -> Tensor<B, 2> {
        x = pass.dropouts.residual(x);
        for (i, layer) in self.layers.iter().enumerate() {
            let chosen = if i + 1 == self.layers.len() { last } else { None };
            let (y, key_value) = layer.forward(x, chosen, cached.map(|c| &c[i]), pass);
            x = y;
            keep(key_value);
        }
        x
    }

    fn head_logits(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let x = B::rms_norm(x, self.norm.clone(), self.config.norm_epsilon);
        self.head.as_ref().unwrap_or(&self.embedding).logits(x)
    }
}
