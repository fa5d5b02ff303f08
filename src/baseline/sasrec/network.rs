//! The network: a causal transformer over items, with tied input and output embeddings.

use std::collections::BTreeMap;

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Tensor, TensorData, activation};

use super::SasRec;
use super::window::Batch;
use crate::baseline::normal_matrix;
use crate::model::adapter::Matrix;
use crate::model::kernels::{Dropout, Kernels};
use crate::seeds;

/// Standard deviation of the initial weights (RecBole's `initializer_range`).
const INITIAL_DEVIATION: f64 = 0.02;

/// Added to variances (RecBole's `layer_norm_eps`).
const NORM_EPSILON: f64 = 1e-12;

/// Attention scores of later items; finite, so that padding stays a number too.
const HIDDEN: f64 = -1e30;

const ITEMS: &str = "item_embedding";
const POSITIONS: &str = "position_embedding";
const INPUT_NORM: &str = "LayerNorm";

/// Dropout of one step: every place where it acts has a mask of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepDropout {
    pub probability: f64,
    pub seed: u64,
}

/// The parameters by RecBole's names, and what their shapes do not say.
///
/// Row `i` of the item embedding is item `i` of the catalogue; RecBole has padding in its row 0.
#[derive(Debug, Clone)]
pub(super) struct Network<B: Backend> {
    pub parameters: BTreeMap<String, Tensor<B, 2>>,
    layers: usize,
    heads: usize,
}

/// Number of parameters of a network.
pub fn parameters(options: &SasRec, items: usize) -> u64 {
    let of = |(name, [rows, columns]): (String, [usize; 2])| {
        let bias = match name.as_str() {
            ITEMS | POSITIONS => 0,
            norm if norm.ends_with("LayerNorm") => columns,
            _ => rows,
        };
        (rows * columns + bias) as u64
    };
    shapes(options, items).into_iter().map(of).sum()
}

/// Names of the parameters without `.weight` and `.bias`, and their weights' shapes. A norm's weight has one row; all
/// but embeddings have a bias.
fn shapes(options: &SasRec, items: usize) -> Vec<(String, [usize; 2])> {
    let (width, inner) = (options.width, options.inner);
    let mut shapes = vec![
        (ITEMS.to_owned(), [items, width]),
        (POSITIONS.to_owned(), [options.max_history, width]),
        (INPUT_NORM.to_owned(), [1, width]),
    ];
    for layer in 0..options.layers {
        shapes.extend(["query", "key", "value", "dense"].map(|part| (attention(layer, part), [width, width])));
        shapes.push((attention(layer, "LayerNorm"), [1, width]));
        shapes.push((feed_forward(layer, "dense_1"), [inner, width]));
        shapes.push((feed_forward(layer, "dense_2"), [width, inner]));
        shapes.push((feed_forward(layer, "LayerNorm"), [1, width]));
    }
    shapes
}

fn attention(layer: usize, part: &str) -> String {
    format!("trm_encoder.layer.{layer}.multi_head_attention.{part}")
}

fn feed_forward(layer: usize, part: &str) -> String {
    format!("trm_encoder.layer.{layer}.feed_forward.{part}")
}

impl<B: Backend> Network<B> {
    /// Random parameters as RecBole draws them: weights normal, biases 0, norms the identity.
    pub fn random(options: &SasRec, items: usize, seed: u64, device: &B::Device) -> Self {
        let mut parameters = BTreeMap::new();
        let mut add = |name: String, matrix: &Matrix| parameters.insert(name, matrix.to_tensor(device));
        for (name, [rows, columns]) in shapes(options, items) {
            let weight = format!("{name}.weight");
            if name.ends_with("LayerNorm") {
                add(weight, &Matrix { rows, columns, values: vec![1.0; rows * columns] });
                add(format!("{name}.bias"), &Matrix::zeros(1, columns));
                continue;
            }
            let seed = seeds::derive(seed, &["sasrec", &weight]);
            add(weight, &normal_matrix(rows, columns, INITIAL_DEVIATION, seed));
            if ![ITEMS, POSITIONS].contains(&name.as_str()) {
                add(format!("{name}.bias"), &Matrix::zeros(1, rows));
            }
        }
        Self { parameters, layers: options.layers, heads: options.heads }
    }

    /// The same network of other tensors.
    pub fn map<C: Backend>(&self, to: &dyn Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Network<C> {
        let parameters = self.parameters.iter().map(|(name, tensor)| (name.clone(), to(tensor.clone()))).collect();
        Network { parameters, layers: self.layers, heads: self.heads }
    }

    /// Where the parameters are.
    pub fn device(&self) -> B::Device {
        self.weight(ITEMS).device()
    }

    /// Size of the catalogue.
    pub fn items(&self) -> usize {
        self.weight(ITEMS).dims()[0]
    }

    fn weight(&self, name: &str) -> Tensor<B, 2> {
        self.parameters[&format!("{name}.weight")].clone()
    }

    fn bias(&self, name: &str) -> Tensor<B, 2> {
        self.parameters[&format!("{name}.bias")].clone()
    }
}

impl<B: Kernels> Network<B> {
    /// Logits of all items at the positions that the batch reads, `[positions, items]`.
    pub fn logits(&self, batch: &Batch<B>, dropout: Option<StepDropout>) -> Tensor<B, 2> {
        let width = self.weight(ITEMS).dims()[1];
        let items = self.weight(ITEMS).select(0, batch.items.clone()).reshape([batch.rows, batch.length, width]);
        let positions = self.weight(POSITIONS).narrow(0, 0, batch.length).unsqueeze_dim::<3>(0);
        let mut x = self.norm(INPUT_NORM, (items + positions).reshape([batch.rows * batch.length, width]));
        x = drop_out(x, dropout, INPUT_NORM);
        let later = later_places(batch.length, &self.device());
        for layer in 0..self.layers {
            x = self.attend(layer, x, batch, &later, dropout);
            x = self.feed_forward(layer, x, dropout);
        }
        B::project(x.select(0, batch.read.clone()), self.weight(ITEMS))
    }

    /// Self-attention to a position itself and those before it, added and normalised.
    fn attend(
        &self,
        layer: usize,
        x: Tensor<B, 2>,
        batch: &Batch<B>,
        later: &Tensor<B, 2, Bool>,
        dropout: Option<StepDropout>,
    ) -> Tensor<B, 2> {
        let name = |part| attention(layer, part);
        let &Batch { rows, length, .. } = batch;
        let [positions, width] = x.dims();
        let head_width = width / self.heads;
        let heads = |part| {
            let projected = self.linear(&name(part), x.clone());
            projected.reshape([rows, length, self.heads, head_width]).swap_dims(1, 2)
        };
        let scores = heads("query").matmul(heads("key").swap_dims(2, 3)).div_scalar((head_width as f64).sqrt());
        let later = later.clone().unsqueeze::<4>().expand([rows, self.heads, length, length]);
        let weights = activation::softmax(scores.mask_fill(later, HIDDEN), 3);
        let weights = drop_out(weights.reshape([rows * self.heads * length, length]), dropout, &name("weights"));
        let seen = weights.reshape([rows, self.heads, length, length]).matmul(heads("value"));
        let out = self.linear(&name("dense"), seen.swap_dims(1, 2).reshape([positions, width]));
        self.norm(&name("LayerNorm"), drop_out(out, dropout, &name("dense")) + x)
    }

    /// The feed-forward layers of each position, added and normalised.
    fn feed_forward(&self, layer: usize, x: Tensor<B, 2>, dropout: Option<StepDropout>) -> Tensor<B, 2> {
        let name = |part| feed_forward(layer, part);
        let inner = gelu(self.linear(&name("dense_1"), x.clone()));
        let out = self.linear(&name("dense_2"), inner);
        self.norm(&name("LayerNorm"), drop_out(out, dropout, &name("dense_2")) + x)
    }

    fn linear(&self, name: &str, x: Tensor<B, 2>) -> Tensor<B, 2> {
        B::project(x, self.weight(name)) + self.bias(name)
    }

    /// Layer norm over the width.
    fn norm(&self, name: &str, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let centred = x.clone() - x.mean_dim(1);
        let variance = (centred.clone() * centred.clone()).mean_dim(1);
        centred * variance.add_scalar(NORM_EPSILON).sqrt().recip() * self.weight(name) + self.bias(name)
    }
}

/// `x Φ(x)`, written out because the gradient of burn's own is that of the tanh approximation on some devices.
fn gelu<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    let share = x.clone().mul_scalar(std::f64::consts::FRAC_1_SQRT_2).erf().add_scalar(1.0);
    (x * share).mul_scalar(0.5)
}

fn drop_out<B: Kernels>(x: Tensor<B, 2>, dropout: Option<StepDropout>, index: &str) -> Tensor<B, 2> {
    match dropout {
        Some(StepDropout { probability, seed }) if probability > 0.0 => {
            B::drop_out(x, Dropout { probability, seed: seeds::derive(seed, &[index]) })
        }
        _ => x,
    }
}

/// Whether position `j` comes after position `i`, `[length, length]`.
fn later_places<B: Backend>(length: usize, device: &B::Device) -> Tensor<B, 2, Bool> {
    let later: Vec<bool> = (0..length * length).map(|at| at % length > at / length).collect();
    Tensor::from_data(TensorData::new(later, [length, length]), device)
}
