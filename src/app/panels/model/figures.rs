//! Figures of the project as it is, from what its data came to: made when either changes, not in every frame.

use std::collections::BTreeMap;

use crate::app::session::Session;
use crate::budget::memory_estimate::MemoryEstimate;
use crate::budget::setup::{DeviceMemory, Setup};

/// Parameters, and memory by device.
#[derive(Debug, Default)]
pub(super) struct Figures {
    made_of: Option<MadeOf>,
    /// Parameters of the base model with the added rows, and those that are trained.
    pub(super) parameters: u64,
    pub(super) trained: u64,
    pub(super) estimates: Vec<(DeviceMemory, MemoryEstimate)>,
}

/// Revision of the project, where its setup lies, and what devices that do not tell were given.
type MadeOf = (u64, usize, BTreeMap<String, u64>);

impl Figures {
    /// The figures now; `given` is the memory in bytes of devices, by their kind, that do not tell theirs.
    pub(super) fn refresh(&mut self, session: &Session, setup: &Setup, given: &BTreeMap<String, u64>) -> &Self {
        let made_of = (session.history.revision(), std::ptr::from_ref(setup).addr(), given.clone());
        if self.made_of.as_ref() != Some(&made_of) {
            let sizes = setup.sizes.under(session.project());
            let estimate = |device: &DeviceMemory| {
                let available = device.available_bytes.or_else(|| given.get(&device.kind).copied());
                (device.clone(), sizes.on(&device.kind, available))
            };
            self.parameters = sizes.base_parameters();
            self.trained = sizes.trained_parameters();
            self.estimates = setup.devices.iter().map(estimate).collect();
            self.made_of = Some(made_of);
        }
        self
    }
}
