use super::Account;

pub async fn note(account: &Account) {
    println!("{}", account.balance().await);
}
