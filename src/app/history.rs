//! Undo and redo: the states that a value has been in.

/// A value with the states before and after it.
///
/// Changes that belong together (one drag of one slider) share a key and make one step.
#[derive(Debug, Clone)]
pub(crate) struct History<T> {
    past: Vec<T>,
    present: T,
    future: Vec<T>,
    /// Key of the change that is still going on.
    open: Option<u64>,
    /// Counts every change, undo and redo.
    revision: u64,
}

/// Steps that are kept.
const LIMIT: usize = 200;

impl<T: Clone + PartialEq> History<T> {
    pub(crate) const fn new(present: T) -> Self {
        Self { past: Vec::new(), present, future: Vec::new(), open: None, revision: 0 }
    }

    pub(crate) const fn present(&self) -> &T {
        &self.present
    }

    /// Changes with every change of the value.
    pub(crate) const fn revision(&self) -> u64 {
        self.revision
    }

    /// Makes `next` the present. With the key of the change before it, it replaces that change's result, so that both
    /// are one step; [`History::close`] ends that.
    pub(crate) fn change(&mut self, next: T, key: Option<u64>) {
        if next == self.present {
            return;
        }
        let before = std::mem::replace(&mut self.present, next);
        if key.is_none() || self.open != key {
            self.past.push(before);
            if self.past.len() > LIMIT {
                self.past.remove(0);
            }
        }
        self.future.clear();
        self.open = key;
        self.revision += 1;
    }

    /// Ends a change that was going on: the next one is a step of its own.
    pub(crate) const fn close(&mut self) {
        self.open = None;
    }

    /// What the present was before the last step, which is what undo makes of it.
    pub(crate) fn before(&self) -> Option<&T> {
        self.past.last()
    }

    /// What redo makes of the present.
    pub(crate) fn after(&self) -> Option<&T> {
        self.future.last()
    }

    /// Goes back one step.
    pub(crate) fn undo(&mut self) {
        if let Some(before) = self.past.pop() {
            self.future.push(std::mem::replace(&mut self.present, before));
            self.moved();
        }
    }

    /// Goes forward one step.
    pub(crate) fn redo(&mut self) {
        if let Some(after) = self.future.pop() {
            self.past.push(std::mem::replace(&mut self.present, after));
            self.moved();
        }
    }

    fn moved(&mut self) {
        self.open = None;
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undo_and_redo_walk_through_the_steps() {
        let mut history = History::new(0);
        history.change(1, None);
        history.change(1, None);
        history.change(2, None);
        history.undo();
        assert_eq!((*history.present(), history.before(), history.after()), (1, Some(&0), Some(&2)));
        history.undo();
        history.undo();
        assert_eq!((*history.present(), history.before()), (0, None));
        history.redo();
        history.change(7, None);
        assert_eq!(history.after(), None, "a change forgets what was taken back");
    }

    #[test]
    fn one_drag_is_one_step() {
        let mut history = History::new(0);
        for value in 1..=5 {
            history.change(value, Some(9));
        }
        history.close();
        history.change(6, Some(9));
        history.undo();
        assert_eq!(*history.present(), 5);
        history.undo();
        assert_eq!(*history.present(), 0);
    }
}
