use anchor_lang::prelude::*;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::in_place,
};

in_place! {
    /// Caps on what one operator may mint and burn of one security. Outlives the role, so that revoking and
    /// granting again gives nothing back.
    ///
    /// What was used recovers linearly: `cap` units per `window` seconds. So never more than the cap goes at once,
    /// nor more than cap + cap x t / window in any span of t seconds; a fixed window would give twice the
    /// cap in an instant at its edge.
    account pub struct Limit {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address.
        pub bump: u8,
        /// The security it is for.
        pub security: Pubkey,
        /// The operator's key.
        pub holder: Pubkey,
        /// Raw units per window; 0 until a first setting is in force.
        pub mint_cap: u64,
        /// Raw units per window; 0 until a first setting is in force.
        pub burn_cap: u64,
        /// Seconds in which a cap recovers in full; 0 until a first setting is in force.
        pub window: i64,
        /// Raw units per window from `pending_from`.
        pub pending_mint_cap: u64,
        /// Raw units per window from `pending_from`.
        pub pending_burn_cap: u64,
        /// Seconds, from `pending_from`.
        pub pending_window: i64,
        /// Unix seconds at which the pending setting starts; 0 when none waits.
        pub pending_from: i64,
        /// Raw units minted and not yet recovered at `mint_used_at`.
        pub mint_used: u64,
        /// Unix seconds.
        pub mint_used_at: i64,
        /// Raw units burnt and not yet recovered at `burn_used_at`.
        pub burn_used: u64,
        /// Unix seconds.
        pub burn_used_at: i64,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 64],
    }
}

impl Limit {
    /// Sets caps and window: at once when that tightens all three, else after `delay`.
    pub fn set(&mut self, mint_cap: u64, burn_cap: u64, window: i64, now: i64, delay: i64) -> Result<()> {
        require!(
            mint_cap > 0 && burn_cap > 0 && (MIN_PERIOD..=MAX_LIMIT_WINDOW).contains(&window),
            TallystickError::LimitOutOfBounds
        );
        self.mature(now)?;
        if mint_cap <= self.mint_cap && burn_cap <= self.burn_cap && window >= self.window {
            self.apply(mint_cap, burn_cap, window, now)?;
            self.drop_pending();
        } else {
            self.pending_mint_cap = mint_cap;
            self.pending_burn_cap = burn_cap;
            self.pending_window = window;
            self.pending_from = now.checked_add(delay).ok_or(TallystickError::Overflow)?;
        }
        Ok(())
    }

    pub fn drop_pending(&mut self) {
        self.pending_mint_cap = 0;
        self.pending_burn_cap = 0;
        self.pending_window = 0;
        self.pending_from = 0;
    }

    /// Puts a pending setting in force when its time has come.
    pub fn mature(&mut self, now: i64) -> Result<()> {
        if self.pending_from != 0 && now >= self.pending_from {
            // Recovery up to the start of the new setting runs at the old rate.
            let (mint_cap, burn_cap, window, from) = (
                self.pending_mint_cap,
                self.pending_burn_cap,
                self.pending_window,
                self.pending_from,
            );
            self.apply(mint_cap, burn_cap, window, from)?;
            self.drop_pending();
        }
        Ok(())
    }

    fn apply(&mut self, mint_cap: u64, burn_cap: u64, window: i64, at: i64) -> Result<()> {
        (self.mint_used, self.mint_used_at) =
            recovered(self.mint_used, self.mint_used_at, self.mint_cap, self.window, at)?;
        (self.burn_used, self.burn_used_at) =
            recovered(self.burn_used, self.burn_used_at, self.burn_cap, self.window, at)?;
        self.mint_cap = mint_cap;
        self.burn_cap = burn_cap;
        self.window = window;
        Ok(())
    }

    /// Takes `amount` raw units from what may be minted now.
    pub fn use_mint(&mut self, amount: u64, now: i64) -> Result<()> {
        self.mature(now)?;
        (self.mint_used, self.mint_used_at) = taken(
            self.mint_used,
            self.mint_used_at,
            self.mint_cap,
            self.window,
            amount,
            now,
        )?;
        self.invariant()
    }

    /// Takes `amount` raw units from what may be burnt now.
    pub fn use_burn(&mut self, amount: u64, now: i64) -> Result<()> {
        self.mature(now)?;
        (self.burn_used, self.burn_used_at) = taken(
            self.burn_used,
            self.burn_used_at,
            self.burn_cap,
            self.window,
            amount,
            now,
        )?;
        self.invariant()
    }

    pub fn invariant(&self) -> Result<()> {
        require!(
            (self.window == 0) == (self.mint_cap == 0)
                && (self.window == 0) == (self.burn_cap == 0)
                && (self.pending_from == 0) == (self.pending_window == 0),
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

/// What is still used at `now`, rounded up. A clock that went back recovers nothing.
fn recovered(used: u64, used_at: i64, cap: u64, window: i64, now: i64) -> Result<(u64, i64)> {
    if window == 0 || now <= used_at || used == 0 {
        return Ok((used, used_at.max(now)));
    }
    let elapsed = now.checked_sub(used_at).ok_or(TallystickError::Overflow)?;
    if elapsed >= window && used <= cap {
        return Ok((0, now));
    }
    let back = u128::from(cap) * elapsed as u128 / window as u128;
    Ok((u128::from(used).saturating_sub(back) as u64, now))
}

fn taken(used: u64, used_at: i64, cap: u64, window: i64, amount: u64, now: i64) -> Result<(u64, i64)> {
    require!(cap > 0 && window > 0, TallystickError::LimitNotInForce);
    let (used, used_at) = recovered(used, used_at, cap, window, now)?;
    let used = used.checked_add(amount).ok_or(TallystickError::LimitExceeded)?;
    require!(used <= cap, TallystickError::LimitExceeded);
    Ok((used, used_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit() -> Limit {
        Limit {
            version: VERSION,
            bump: 255,
            security: Pubkey::default(),
            holder: Pubkey::default(),
            mint_cap: 0,
            burn_cap: 0,
            window: 0,
            pending_mint_cap: 0,
            pending_burn_cap: 0,
            pending_window: 0,
            pending_from: 0,
            mint_used: 0,
            mint_used_at: 0,
            burn_used: 0,
            burn_used_at: 0,
            reserved: [0; 64],
        }
    }

    fn in_force(cap: u64, window: i64) -> Limit {
        let mut limit = limit();
        limit.set(cap, cap, window, 0, 1).unwrap();
        limit.mature(1).unwrap();
        limit
    }

    #[test]
    fn a_limit_that_was_never_set_refuses() {
        assert_eq!(
            limit().use_mint(1, 10).unwrap_err(),
            TallystickError::LimitNotInForce.into()
        );
    }

    #[test]
    fn a_first_setting_waits_for_the_delay() {
        let mut limit = limit();
        limit.set(100, 100, 10, 0, 5).unwrap();
        assert!(limit.use_mint(1, 4).is_err());
        assert!(limit.use_mint(100, 5).is_ok());
    }

    #[test]
    fn tightening_is_immediate_and_loosening_waits() {
        let mut limit = in_force(100, 10);
        limit.set(50, 100, 10, 2, 100).unwrap();
        assert_eq!({ limit.mint_cap }, 50);
        limit.set(60, 100, 10, 3, 100).unwrap();
        assert_eq!({ limit.mint_cap }, 50);
        assert_eq!({ limit.pending_from }, 103);
    }

    #[test]
    fn the_edge_of_a_window_does_not_give_twice_the_cap() {
        let mut limit = in_force(100, 10);
        limit.use_mint(100, 10).unwrap();
        assert!(limit.use_mint(1, 10).is_err());
        assert!(limit.use_mint(11, 11).is_err());
        assert!(limit.use_mint(10, 11).is_ok());
    }

    #[test]
    fn a_full_window_recovers_everything() {
        let mut limit = in_force(100, 10);
        limit.use_mint(100, 10).unwrap();
        limit.use_mint(100, 20).unwrap();
    }

    #[test]
    fn a_clock_that_goes_back_recovers_nothing() {
        let mut limit = in_force(100, 10);
        limit.use_mint(100, 20).unwrap();
        assert!(limit.use_mint(1, 15).is_err());
        assert!(limit.use_mint(1, 20).is_err());
    }

    #[test]
    fn mint_and_burn_are_counted_apart() {
        let mut limit = in_force(100, 10);
        limit.use_mint(100, 10).unwrap();
        limit.use_burn(100, 10).unwrap();
        assert!(limit.use_burn(1, 10).is_err());
    }

    #[test]
    fn a_setting_outside_its_bounds_is_refused() {
        for (mint_cap, burn_cap, window) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, MAX_LIMIT_WINDOW + 1)] {
            assert!(limit().set(mint_cap, burn_cap, window, 0, 1).is_err());
        }
    }
}
