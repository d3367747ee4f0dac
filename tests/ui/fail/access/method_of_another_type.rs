// The traits of expansions are no candidates for what a type of the user lacks.
use async_monitor as _;

struct Door;

fn main() {
    Door.lock();
    Door.kind();
}
