//! The state that continual learning carries from stage to stage, on the host: adapters and trained token rows.

use std::collections::BTreeMap;

use burn::tensor::backend::Backend;
use burn::tensor::{DType, FloatDType, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::config::{LlamaConfig, PROJECTIONS};
use super::llama::{Kind, Llama, LoraPair};
use super::options::LoraShape;
use super::ranks::Ranks;
use crate::seeds;

/// Matrices by name.
pub type Matrices = BTreeMap<String, Matrix>;

/// A float32 matrix on the host, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub values: Vec<f32>,
}

impl Matrix {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    /// Copies a tensor from its device.
    pub fn from_tensor<B: Backend>(tensor: Tensor<B, 2>) -> Self {
        let [rows, columns] = tensor.dims();
        let values = tensor.into_data().convert::<f32>().into_vec().unwrap_or_default();
        Self { rows, columns, values }
    }

    /// Copies to a device.
    pub fn to_tensor<B: Backend>(&self, device: &B::Device) -> Tensor<B, 2> {
        Tensor::from_data(TensorData::new(self.values.clone(), [self.rows, self.columns]), device)
    }

    /// Moves to a device, without a second copy where that is the CPU.
    pub fn into_tensor<B: Backend>(self, device: &B::Device) -> Tensor<B, 2> {
        Tensor::from_data(TensorData::new(self.values, [self.rows, self.columns]), device)
    }

    /// Moves to a device, where the numbers are of another type.
    pub fn into_stored<B: Backend>(self, kind: FloatDType, device: &B::Device) -> Tensor<B, 2> {
        let data = TensorData::new(self.values, [self.rows, self.columns]);
        Tensor::from_data(data, (device, DType::from(kind)))
    }

    /// The Frobenius norm.
    pub fn norm(&self) -> f64 {
        self.values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
    }
}

/// The two factors of one module's low-rank update.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// `[rank, in]`
    pub a: Matrix,
    /// `[out, rank]`
    pub b: Matrix,
}

/// A LoRA adapter: a pair for each module, by name (`model.layers.0.self_attn.q_proj`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Adapter {
    pub modules: BTreeMap<String, Pair>,
}

impl Adapter {
    /// A fresh adapter that adds nothing yet: A uniform in ±1/√in as PEFT draws it, B zero.
    pub fn fresh(config: &LlamaConfig, shape: LoraShape, seed: u64, stream: &str) -> Self {
        let mut modules = BTreeMap::new();
        for (name, (output, input)) in config.modules() {
            let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(seed, &[stream, &name]));
            let bound = 1.0 / (input as f32).sqrt();
            let values = (0..shape.rank * input).map(|_| random.random_range(-bound..bound)).collect();
            let a = Matrix { rows: shape.rank, columns: input, values };
            modules.insert(name, Pair { a, b: Matrix::zeros(output, shape.rank) });
        }
        Self { modules }
    }

    /// Copies a model's adapter from its device.
    pub fn of<B: Backend>(model: &Llama<B>) -> Self {
        let mut modules = BTreeMap::new();
        for (i, layer) in model.layers.iter().enumerate() {
            for (linear, projection) in layer.projections().into_iter().zip(PROJECTIONS) {
                if let Some(lora) = &linear.lora {
                    let pair = Pair { a: Matrix::from_tensor(lora.a.clone()), b: Matrix::from_tensor(lora.b.clone()) };
                    modules.insert(format!("model.layers.{i}.{projection}"), pair);
                }
            }
        }
        Self { modules }
    }

    /// What a parameter's name ends in after its module's.
    pub const A: &str = ".lora_A.weight";
    pub const B: &str = ".lora_B.weight";

    /// Both factors of every module, by parameter name.
    pub fn parameters(&self) -> impl Iterator<Item = (String, &Matrix)> {
        self.modules
            .iter()
            .flat_map(|(name, pair)| [(format!("{name}{}", Self::A), &pair.a), (format!("{name}{}", Self::B), &pair.b)])
    }

    /// See [`Self::parameters`].
    pub fn parameters_mut(&mut self) -> impl Iterator<Item = (String, &mut Matrix)> {
        self.modules.iter_mut().flat_map(|(name, pair)| {
            [(format!("{name}{}", Self::A), &mut pair.a), (format!("{name}{}", Self::B), &mut pair.b)]
        })
    }

    /// Puts a factor in its place, by its parameter's name; false where it is the name of none.
    pub fn insert(&mut self, name: &str, matrix: Matrix) -> bool {
        let module = |ending: &str| name.strip_suffix(ending).map(str::to_owned);
        let none = || Pair { a: Matrix::zeros(0, 0), b: Matrix::zeros(0, 0) };
        if let Some(module) = module(Self::A) {
            self.modules.entry(module).or_insert_with(none).a = matrix;
        } else if let Some(module) = module(Self::B) {
            self.modules.entry(module).or_insert_with(none).b = matrix;
        } else {
            return false;
        }
        true
    }

    /// Puts the adapter on a model, as the one that is trained.
    pub fn put_on<B: Backend>(&self, model: &mut Llama<B>) {
        self.for_each_linear(model, |linear, pair| linear.lora = pair);
    }

    /// Puts the adapter on a model, as what past adapters add.
    pub fn put_as_past<B: Backend>(&self, model: &mut Llama<B>) {
        self.for_each_linear(model, |linear, pair| linear.past = pair);
    }

    fn for_each_linear<B: Backend>(
        &self,
        model: &mut Llama<B>,
        put: impl Fn(&mut super::llama::Linear<B>, Option<LoraPair<B>>),
    ) {
        let device = model.device();
        for (i, layer) in model.layers.iter_mut().enumerate() {
            for (linear, projection) in layer.projections_mut().into_iter().zip(PROJECTIONS) {
                let pair = self.modules.get(&format!("model.layers.{i}.{projection}"));
                put(linear, pair.map(|p| LoraPair { a: p.a.to_tensor(&device), b: p.b.to_tensor(&device) }));
            }
        }
    }

    /// The adapter with its update times `factor`, which goes into B.
    pub fn scaled(mut self, factor: f32) -> Self {
        self.modules.values_mut().flat_map(|pair| &mut pair.b.values).for_each(|value| *value *= factor);
        self
    }

    /// The rank of every module that it has.
    pub fn ranks(&self) -> Ranks {
        self.modules.iter().map(|(name, pair)| (name.clone(), pair.a.rows)).collect()
    }

    /// The first `rank` directions of every module.
    pub fn first_ranks(mut self, rank: usize) -> Self {
        self.modules.values_mut().for_each(|pair| pair.keep(rank));
        self
    }

    /// As many first directions of every module as `ranks` say, without the modules that have none there: undoes
    /// [`Self::concatenated`].
    pub fn cut(mut self, ranks: &Ranks) -> Self {
        self.modules.retain(|name, pair| {
            let rank = ranks.get(name).copied().unwrap_or(0);
            pair.keep(rank);
            rank > 0
        });
        self
    }

    /// The adapter with zeros added where a module has fewer ranks than another: the same update, of one rank, as PEFT keeps it.
    pub fn of_one_rank(mut self) -> Self {
        let rank = self.modules.values().map(|pair| pair.a.rows).max().unwrap_or(0);
        for pair in self.modules.values_mut() {
            let missing = rank - pair.a.rows;
            let zeros = Pair { a: Matrix::zeros(missing, pair.a.columns), b: Matrix::zeros(pair.b.rows, missing) };
            if missing > 0 {
                *pair = pair.concatenated(&zeros);
            }
        }
        self
    }

    /// Both adapters' updates as one of the summed rank: `[A; A']`, `[B, B']`. Modules of one alone stay as they are.
    pub fn concatenated(&self, other: &Self) -> Self {
        let mut modules = self.modules.clone();
        for (name, pair) in &other.modules {
            modules.entry(name.clone()).and_modify(|p| *p = p.concatenated(pair)).or_insert_with(|| pair.clone());
        }
        Self { modules }
    }
}

impl Pair {
    /// Leaves the first `rank` directions.
    fn keep(&mut self, rank: usize) {
        let columns = self.b.columns;
        if rank >= columns {
            return;
        }
        self.a.values.truncate(rank * self.a.columns);
        self.a.rows = rank;
        self.b.values = self.b.values.chunks_exact(columns).flat_map(|row| &row[..rank]).copied().collect();
        self.b.columns = rank;
    }

    fn concatenated(&self, other: &Self) -> Self {
        let a = [self.a.values.as_slice(), &other.a.values].concat();
        let (r, s) = (self.b.columns, other.b.columns);
        let rows = self.b.values.chunks_exact(r.max(1)).zip(other.b.values.chunks_exact(s.max(1)));
        let b = rows.flat_map(|(x, y)| x.iter().chain(y)).copied().collect();
        Self {
            a: Matrix { rows: r + s, columns: self.a.columns, values: a },
            b: Matrix { rows: self.b.rows, columns: r + s, values: b },
        }
    }
}

/// Everything that a stage may change, by name: adapter factors and trained rows of embedding and head.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    pub parameters: BTreeMap<String, Matrix>,
}

impl Snapshot {
    /// Copies the parameters of the chosen kinds from a model.
    pub fn of<B: Backend>(model: &Llama<B>, chosen: impl Fn(Kind) -> bool) -> Self {
        let mut parameters = BTreeMap::new();
        model.clone().visit(&mut |name, kind, tensor| {
            if chosen(kind) {
                parameters.insert(name.to_owned(), Matrix::from_tensor(tensor.clone()));
            }
        });
        Self { parameters }
    }

    /// Puts the parameters back into a model that has them all.
    pub fn restore<B: Backend>(&self, model: &mut Llama<B>) {
        let device = model.device();
        model.visit(&mut |name, _, tensor| {
            if let Some(matrix) = self.parameters.get(name) {
                *tensor = matrix.to_tensor(&device);
            }
        });
    }
}
