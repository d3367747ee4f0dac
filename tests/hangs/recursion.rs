//! A section calls itself for each child.

use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::block_on;
use futures::future::{BoxFuture, FutureExt};

#[derive(Guarded, Default)]
struct Tree {
    nodes: Lock,
    #[guarded_by(nodes)]
    children: Guarded<Vec<Vec<usize>>>,
}

impl Tree {
    #[synchronized(nodes)]
    async fn size(&self, node: usize) -> usize {
        let mut size = 1;
        for child in nodes.children.get(node).cloned().unwrap_or_default() {
            size += self.size_of_child(child).await;
        }
        size
    }

    fn size_of_child(&self, node: usize) -> BoxFuture<'_, usize> {
        self.size(node).boxed()
    }

    #[synchronized(nodes)]
    async fn add(&self, children: &[usize]) {
        nodes.children.push(children.to_vec());
    }
}

pub fn run() {
    let tree = Tree::default();
    block_on(tree.add(&[1, 2]));
    println!("{}", block_on(tree.size(0)));
}
