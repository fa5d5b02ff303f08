//! Ids as the files write them, each kept once and known by its number.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// Distinct texts, numbered by first appearance. All lie in one buffer, because millions of small allocations would take
/// several times their own size.
#[derive(Debug, Clone, Default)]
pub struct Names {
    text: String,
    /// Where each one ends in `text`.
    ends: Vec<u64>,
    places: HashTable<Place>,
    hasher: RandomState,
}

/// A name's number, and where its text is: to look it up takes no way through `ends`, which would be one more wait for memory.
#[derive(Debug, Clone, Copy)]
struct Place {
    from: u64,
    length: u32,
    number: u32,
}

impl Names {
    /// The number of a name, which gets the next one where it is new; none for more names than numbers.
    pub fn number(&mut self, name: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(name);
        if let Some(place) = self.places.find(hash, |place| self.is_at(*place, name)) {
            return Some(place.number);
        }
        let number = u32::try_from(self.ends.len()).ok()?;
        let place = Place { from: self.text.len() as u64, length: u32::try_from(name.len()).ok()?, number };
        self.text.push_str(name);
        self.ends.push(self.text.len() as u64);
        let (text, hasher) = (&self.text, &self.hasher);
        self.places.insert_unique(hash, place, |&other| hasher.hash_one(text_at(text, other)));
        Some(number)
    }

    /// The number of a name that is known.
    pub fn find(&self, name: &str) -> Option<u32> {
        let found = self.places.find(self.hasher.hash_one(name), |place| self.is_at(*place, name));
        found.map(|place| place.number)
    }

    fn is_at(&self, place: Place, name: &str) -> bool {
        place.length as usize == name.len() && text_at(&self.text, place) == name
    }

    /// The name of a number that was given out.
    pub fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let from = if number == 0 { 0 } else { self.ends[number - 1] as usize };
        &self.text[from..self.ends[number] as usize]
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len()).map(|number| self.get(number as u32))
    }
}

/// The same names in the same order.
impl PartialEq for Names {
    fn eq(&self, other: &Self) -> bool {
        (&self.text, &self.ends) == (&other.text, &other.ends)
    }
}

fn text_at(text: &str, place: Place) -> &str {
    let from = place.from as usize;
    &text[from..from + place.length as usize]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_follow_first_appearance(list in prop::collection::vec("[a-c]{0,3}|é|长", 0..60)) {
            let mut names = Names::default();
            let numbers: Vec<u32> = list.iter().map(|name| names.number(name).unwrap()).collect();
            let mut distinct: Vec<&String> = Vec::new();
            for (name, number) in list.iter().zip(numbers) {
                if !distinct.contains(&name) {
                    distinct.push(name);
                }
                prop_assert_eq!(distinct[number as usize], name);
                prop_assert_eq!(names.get(number), name);
                prop_assert_eq!(names.find(name), Some(number));
            }
            prop_assert_eq!(names.len(), distinct.len());
            prop_assert_eq!(names.find("none of them"), None);
            prop_assert!(names.iter().eq(distinct));
        }
    }
}
