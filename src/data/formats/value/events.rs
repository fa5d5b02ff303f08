//! Events of several kinds (views, carts, purchases): which of them are interactions.

use crate::data::formats::assumption::Assumption;
use crate::data::formats::options::Import;
use crate::data::formats::plan::{Kinds, Layout};
use crate::data::formats::spec::Format;
use crate::error::InputError;

/// Kinds that are counted apart, at most.
const MOST: usize = 20;

/// The kinds that a project counts as interactions; none where the format has no kinds, or the file no column of them.
///
/// # Errors
/// The project names kinds, and the format has none, or not these.
pub fn chosen(format: Format, layout: &Layout, import: &Import) -> Result<Option<Kinds>, InputError> {
    let Some(events) = &format.reader.events else {
        return match import.events {
            None => Ok(None),
            Some(_) => Err(InputError::new(&import.path, format!("{} has no kinds of events", format.label))
                .at("`dataset`, field `events`")
                .advice("leave it out")),
        };
    };
    let Layout::Delimited { table, .. } = layout else { return Ok(None) };
    let Some(column) = table.columns.iter().position(|name| name == events.column) else { return Ok(None) };
    let kept = match &import.events {
        None => events.usual.iter().map(|&kind| kind.to_owned()).collect(),
        Some(kinds) => {
            let known: Vec<&str> = events.kinds.iter().map(|kind| kind.name).collect();
            if let Some(unknown) = kinds.iter().find(|kind| !known.contains(&kind.as_str())) {
                return Err(InputError::new(&import.path, format!("no kind of events is called \"{unknown}\""))
                    .at("`dataset`, field `events`")
                    .advice(format!("{} has {}", format.label, known.join(", "))));
            }
            kinds.clone()
        }
    };
    Ok(Some(Kinds { column, kept }))
}

/// Counts events by their kind as they pass.
#[derive(Debug, Default)]
pub struct Counts {
    /// A kind, how many there are, and whether they count.
    kinds: Vec<(Vec<u8>, u64, bool)>,
    /// Of kinds beyond those that are counted apart.
    others: u64,
}

impl Counts {
    /// Counts an event; whether it is no interaction.
    pub fn leaves_out(&mut self, kind: Option<&[u8]>, kinds: &Kinds) -> bool {
        let kind = kind.unwrap_or_default().trim_ascii();
        if let Some((_, count, keeps)) = self.kinds.iter_mut().find(|(known, ..)| known == kind) {
            *count += 1;
            return !*keeps;
        }
        let keeps = kinds.kept.is_empty() || kinds.kept.iter().any(|kept| kept.as_bytes() == kind);
        if self.kinds.len() < MOST {
            self.kinds.push((kind.to_vec(), 1, keeps));
        } else {
            self.others += 1;
        }
        !keeps
    }

    /// How many events were left out.
    pub fn left_out(&self) -> u64 {
        self.kinds.iter().filter(|(_, _, keeps)| !keeps).map(|(_, count, _)| count).sum()
    }

    /// What counts as an interaction, with how to choose; none where there are no kinds.
    pub fn said(&self) -> Option<Assumption> {
        if self.kinds.is_empty() {
            return None;
        }
        let of = |kept: bool| {
            let kinds = self.kinds.iter().filter(|(_, _, keeps)| *keeps == kept);
            let words = kinds.map(|(kind, count, _)| format!("{count} of {}", String::from_utf8_lossy(kind)));
            words.collect::<Vec<_>>().join(", ")
        };
        let mut assumed = format!("Events of these kinds are interactions: {}", of(true));
        if self.left_out() > 0 {
            assumed.push_str(&format!("; left out: {}", of(false)));
        }
        if self.others > 0 {
            assumed.push_str(&format!("; {} are of other kinds", self.others));
        }
        let kind = self.kinds.last().map_or(String::new(), |(kind, ..)| String::from_utf8_lossy(kind).into_owned());
        Some(Assumption::new(assumed, format!("some of them alone, for example: `events: [\"{kind}\"]`")))
    }
}
