//! Work off the window's thread: jobs send one message when they are done, and wake the window.

use std::sync::mpsc;

use eframe::egui;

/// Runs jobs and collects what they send.
pub(crate) struct Background<M> {
    outbox: Outbox<M>,
    inbox: mpsc::Receiver<M>,
}

/// Where a job sends its messages.
pub(crate) struct Outbox<M> {
    sender: mpsc::Sender<M>,
    ctx: egui::Context,
}

// Derived, it would ask for `M: Clone`.
impl<M> Clone for Outbox<M> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), ctx: self.ctx.clone() }
    }
}

impl<M> Outbox<M> {
    /// Sends a message and wakes the window; false when the window is gone.
    pub(crate) fn send(&self, message: M) -> bool {
        let sent = self.sender.send(message).is_ok();
        self.ctx.request_repaint();
        sent
    }
}

impl<M: Send + 'static> Background<M> {
    pub(crate) fn new(ctx: egui::Context) -> Self {
        let (sender, inbox) = mpsc::channel();
        Self { outbox: Outbox { sender, ctx }, inbox }
    }

    pub(crate) fn outbox(&self) -> Outbox<M> {
        self.outbox.clone()
    }

    /// Runs a job on a thread of its own; its message arrives through [`Background::drain`].
    ///
    /// # Errors
    /// The operating system refuses another thread.
    pub(crate) fn spawn(&self, name: &str, job: impl FnOnce() -> M + Send + 'static) -> std::io::Result<()> {
        let outbox = self.outbox();
        std::thread::Builder::new().name(name.to_owned()).spawn(move || outbox.send(job())).map(drop)
    }

    /// The next message that has arrived.
    pub(crate) fn next(&self) -> Option<M> {
        self.inbox.try_recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_runs_elsewhere_and_its_message_arrives() {
        let background = Background::new(egui::Context::default());
        background.spawn("job", || std::thread::current().id()).unwrap();
        let message = background.inbox.recv_timeout(std::time::Duration::from_secs(5)).unwrap();
        assert_ne!(message, std::thread::current().id());
        assert_eq!(background.next(), None);
    }
}
