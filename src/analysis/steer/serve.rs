//! The resident process: orders come in, answers go out; what is newer takes the place of what is in work.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

use super::protocol::{Answer, Ends, Order, Request, Search};
use super::{Scorer, Steering};
use crate::error::{InputError, RunError};
use crate::method::steered::Coefficients;
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::kernels::Kernels;
use crate::train::evaluate::Cell;
use crate::train::recorder::guarded;

/// An order, or why a line is none.
pub type Received = Result<Order, String>;

/// Loads the model and answers until nobody is left who could order anything.
///
/// # Errors
/// The stage cannot be steered, or the device fails.
pub fn serve(
    steering: Steering<'_>,
    orders: &Receiver<Received>,
    tell: &mut dyn FnMut(Answer),
) -> Result<(), RunError> {
    guarded(steering.task, || run_on(&steering.task.device, Serving { steering, orders, tell }))
}

struct Serving<'a> {
    steering: Steering<'a>,
    orders: &'a Receiver<Received>,
    tell: &'a mut dyn FnMut(Answer),
}

impl OnDevice for Serving<'_> {
    type Output = Result<(), RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let mut scorer = Scorer::load::<B>(self.steering, device)?;
        (self.tell)(Answer::Ready(Box::new(scorer.description.clone())));
        let mut desk = Desk { orders: self.orders, newest: None, closed: false, later: VecDeque::from([Later::Ends]) };
        while let Some(work) = desk.next(self.tell) {
            match work {
                Work::Now(request) => answer(&mut scorer, &request, &mut desk, self.tell),
                Work::Later(later) => go_on(&scorer, later, &mut desk, self.tell),
            }
        }
        Ok(())
    }
}

/// What is done at once.
enum Work {
    Now(Request),
    Later(Later),
}

/// What is done a piece at a time while nothing is asked.
enum Later {
    Ends,
    Search(Search),
    Merge,
}

/// What is asked for.
struct Desk<'a> {
    orders: &'a Receiver<Received>,
    newest: Option<Request>,
    /// Nobody can ask any more.
    closed: bool,
    later: VecDeque<Later>,
}

impl Desk<'_> {
    /// What to do next; waits where there is nothing, and ends where nobody can ask any more.
    fn next(&mut self, tell: &mut dyn FnMut(Answer)) -> Option<Work> {
        loop {
            self.look(tell);
            if self.closed && self.newest.is_none() {
                return None;
            }
            if let Some(request) = self.newest.take() {
                return Some(Work::Now(request));
            }
            if let Some(later) = self.later.pop_front() {
                return Some(Work::Later(later));
            }
            match self.orders.recv() {
                Ok(order) => self.take(order, tell),
                Err(_) => self.closed = true,
            }
        }
    }

    /// Takes in what was ordered meanwhile.
    fn look(&mut self, tell: &mut dyn FnMut(Answer)) {
        loop {
            match self.orders.try_recv() {
                Ok(order) => self.take(order, tell),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn take(&mut self, order: Received, tell: &mut dyn FnMut(Answer)) {
        match order {
            Ok(Order::Steer(request)) => {
                if let Some(older) = self.newest.replace(request) {
                    tell(Answer::Superseded { id: older.id });
                }
            }
            Ok(Order::FindBest) if self.later.iter().any(|later| matches!(later, Later::Search(_))) => {}
            Ok(Order::FindBest) => self.later.extend([Later::Search(Search::default()), Later::Merge]),
            Err(message) => tell(Answer::Failed { id: None, message }),
        }
    }

    /// Whether what is in work has lost its use: something newer is asked, or nobody listens.
    fn is_superseded(&mut self, tell: &mut dyn FnMut(Answer)) -> bool {
        self.look(tell);
        self.newest.is_some() || self.closed
    }
}

/// The user's list first, then the sample's hits, a slice of users at a time.
fn answer<B: Kernels>(
    scorer: &mut Scorer<'_, B>,
    request: &Request,
    desk: &mut Desk<'_>,
    tell: &mut dyn FnMut(Answer),
) {
    let (id, began) = (request.id, Instant::now());
    let made = scorer.model(&request.coefficients).and_then(|model| {
        let list = scorer.list(&model, request, began)?;
        Ok((model, list))
    });
    let (model, list) = match made {
        Ok(made) => made,
        Err(error) => return tell(failed(Some(id), &error)),
    };
    tell(Answer::List(list));
    let mut asked = Cell::default();
    loop {
        // At the end of the pipe the last request is answered whole.
        desk.look(tell);
        if desk.newest.is_some() {
            return tell(Answer::Superseded { id });
        }
        if scorer.ask(&model, &mut asked).is_none() {
            return;
        }
        tell(Answer::Hits(scorer.hits(&asked, id, began)));
    }
}

/// A piece of what is done while nothing is asked.
fn go_on<B: Kernels>(scorer: &Scorer<'_, B>, later: Later, desk: &mut Desk<'_>, tell: &mut dyn FnMut(Answer)) {
    match later {
        Later::Ends => match ends(scorer, desk, tell) {
            Some(ends) => tell(Answer::Ends(ends)),
            None => desk.later.push_front(Later::Ends),
        },
        Later::Search(mut search) => {
            if scorer.search(&mut search) {
                tell(Answer::Best(search.clone()));
                desk.later.push_front(Later::Search(search));
            }
        }
        Later::Merge => match scorer.merged() {
            Ok(merged) => merged.into_iter().for_each(|merged| tell(Answer::Merged(merged))),
            Err(error) => tell(failed(None, &error)),
        },
    }
}

/// The sample's hits before and after the stage; none where something else is asked meanwhile.
fn ends<B: Kernels>(scorer: &Scorer<'_, B>, desk: &mut Desk<'_>, tell: &mut dyn FnMut(Answer)) -> Option<Ends> {
    let mut hit = |step: f64| {
        let model = scorer.model(&Coefficients::whole(step)).ok()?;
        let mut asked = Cell::default();
        while scorer.ask(&model, &mut asked).is_some() {
            if desk.is_superseded(tell) {
                return None;
            }
        }
        Some(scorer.hits(&asked, 0, Instant::now()).hit)
    };
    Some(Ends { before: hit(0.0)?, after: hit(1.0)? })
}

fn failed(id: Option<u64>, error: &InputError) -> Answer {
    let advice = error.advice.as_ref().map(|advice| format!("; {advice}")).unwrap_or_default();
    Answer::Failed { id, message: format!("{}{advice}", error.problem) }
}
