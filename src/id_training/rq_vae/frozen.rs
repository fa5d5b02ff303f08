//! The autoencoder after training: what it makes of vectors that it was not trained on.

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};

use super::Cpu;
use super::network::{Network, numbers};
use super::training::Data;
use crate::model::adapter::Matrix;

/// Vectors that are read at once.
const BATCH: usize = 1024;

/// Encoder and decoder with what vectors were moved and scaled by.
#[derive(Debug, Clone, PartialEq)]
pub struct Autoencoder {
    /// Weight and bias of each layer of the encoder, then of the decoder.
    pub parameters: Vec<Matrix>,
    pub mean: Vec<f64>,
    /// Factor on the distance to the mean.
    pub scale: f64,
}

impl Autoencoder {
    pub(super) fn of(network: &Network<Cpu>, data: &Data<'_>) -> Self {
        let layers = &network.parameters[..4 * network.depth];
        Self {
            parameters: layers.iter().map(|parameter| Matrix::from_tensor(parameter.clone())).collect(),
            mean: data.mean.clone(),
            scale: data.scale,
        }
    }

    /// Whether weights and biases belong to each other, from vectors to codes of this width and back.
    pub fn fits(&self, width: usize) -> bool {
        let half = self.parameters.len() / 2;
        let chained = |layers: &[Matrix], from: usize, to: usize| {
            let mut inputs = from;
            let fit = layers.chunks(2).all(|layer| match layer {
                [weight, bias] => {
                    let fits = weight.columns == inputs && [bias.rows, bias.columns] == [1, weight.rows];
                    inputs = weight.rows;
                    fits
                }
                _ => false,
            });
            fit && inputs == to
        };
        let vectors = self.mean.len();
        self.parameters.len().is_multiple_of(4)
            && half > 0
            && self.scale.is_finite()
            && chained(&self.parameters[..half], vectors, width)
            && chained(&self.parameters[half..], width, vectors)
    }

    /// What is quantised of vectors.
    pub fn encode(&self, vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let scaled = |vector: &Vec<f64>| -> Vec<f32> {
            let values = vector.iter().zip(&self.mean);
            values.map(|(value, mean)| ((value - mean) * self.scale) as f32).collect()
        };
        self.batches(vectors, scaled, Network::encode)
    }

    /// The vectors that sums of codebooks' entries stand for.
    pub fn decode(&self, sums: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut found = self.batches(sums, |sum| sum.iter().map(|&value| value as f32).collect(), Network::decode);
        for vector in &mut found {
            vector.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value = *value / self.scale + mean);
        }
        found
    }

    fn batches(
        &self,
        rows: &[Vec<f64>],
        read: impl Fn(&Vec<f64>) -> Vec<f32>,
        through: impl Fn(&Network<Flex>, Tensor<Flex, 2>) -> Tensor<Flex, 2>,
    ) -> Vec<Vec<f64>> {
        let device = Default::default();
        let parameters = self.parameters.iter().map(|matrix| matrix.to_tensor(&device)).collect();
        let network = Network { parameters, depth: self.parameters.len() / 4 };
        let batch = |rows: &[Vec<f64>]| -> Vec<Vec<f64>> {
            let width = rows.first().map_or(0, Vec::len);
            let values: Vec<f32> = rows.iter().flat_map(&read).collect();
            let found = through(&network, Tensor::from_data(TensorData::new(values, [rows.len(), width]), &device));
            let width = found.dims()[1];
            numbers(found).chunks(width).map(<[f64]>::to_vec).collect()
        };
        rows.chunks(BATCH).flat_map(batch).collect()
    }
}
