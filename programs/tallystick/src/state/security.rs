use anchor_lang::prelude::*;
use solana_sha256_hasher::hashv;

use crate::{
    constants::*,
    errors::{require, TallystickError},
    state::{
        changed_multiplier, in_place, shares_rounded_up, Policy, SCOPE_MINT, SCOPE_REDEEM, SCOPE_TRANSFER,
    },
};

#[derive(AnchorSerialize, AnchorDeserialize, InitSpace, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SecurityStatus {
    Active,
    /// Delisted: no mints, redemptions go on.
    Retired,
}

in_place! {
    /// One tokenised share class.
    account pub struct Security {
        /// Layout version.
        pub version: u8,
        /// Bump of this account's address, which signs for the mint and the escrow.
        pub bump: u8,
        /// Active or retired.
        pub status: SecurityStatus,
        /// Whether token accounts start frozen, and only an approved holder's is thawed.
        pub permissioned: bool,
        /// Decimals of the mint, and of every quantity of shares.
        pub decimals: u8,
        /// The issuer.
        pub issuer: Pubkey,
        /// The Token-2022 mint.
        pub mint: Pubkey,
        /// The token account, owned by this account, that holds redemptions in flight.
        pub escrow: Pubkey,
        /// UTF-8, zero padded; part of the mint's address and never reused.
        pub security_id: [u8; 32],
        /// ISO 6166.
        pub isin: [u8; 12],
        /// ISIN before the last renumbering, or zeros.
        pub previous_isin: [u8; 12],
        /// UTF-8, zero padded.
        pub ticker: [u8; 16],
        /// SHA-256 of the terms the holders were offered.
        pub terms_hash: [u8; 32],
        /// SHA-256("tallystick:metadata", security, content) of the metadata announced; zeros when none is.
        pub pending_metadata_hash: [u8; 32],
        /// Unix seconds from which it may be written; 0 when none is announced.
        pub pending_metadata_from: i64,
        /// Where a seizure moves tokens to; the default key while none is named.
        pub seizure_account: Pubkey,
        /// Seizure account from `pending_seizure_from`; the default key when none waits.
        pub pending_seizure_account: Pubkey,
        /// Unix seconds at which the pending seizure account counts; 0 when none waits.
        pub pending_seizure_from: i64,
        /// SHA-256 of the sorted hashes of the declared custody accounts.
        pub custody_accounts_hash: [u8; 32],
        /// How many custody accounts that is.
        pub custody_accounts: u8,
        /// What the issuer promised.
        pub policy: Policy,
        /// SHA-256 of the sorted hashes of the custody accounts declared from `pending_policy_from`; zeros when none waits.
        pub pending_custody_accounts_hash: [u8; 32],
        /// How many custody accounts that is.
        pub pending_custody_accounts: u8,
        /// Policy from `pending_policy_from`; zeros when none waits.
        pub pending_policy: Policy,
        /// Unix seconds at which the pending policy and custody accounts count; 0 when none waits.
        pub pending_policy_from: i64,
        /// Multiplier now in force unless the pending one's time has come; 18 places, rounded down.
        pub multiplier: u128,
        /// Multiplier from `multiplier_effective_at`; 0 when none is pending.
        pub pending_multiplier: u128,
        /// Unix seconds by the chain's clock; 0 when none is pending.
        pub multiplier_effective_at: i64,
        /// Unix seconds of the last change that took effect before the pending one.
        pub multiplier_changed_at: i64,
        /// Shares x 10^decimals of the attestation in force.
        pub reserve: u64,
        /// Unix seconds by the custodian's clock; 0 while nothing was attested.
        pub reserve_as_of: i64,
        /// Shares x 10^decimals redeemed in all that had left custody at the as-of.
        pub reserve_redeemed: u64,
        /// The attestation in force, or the default key.
        pub attestation: Pubkey,
        /// SHA-256(previous, content hash) over every attestation that came in force.
        pub attestations_hash: [u8; 32],
        /// How many attestations came in force.
        pub attestations: u32,
        /// Shares x 10^decimals redeemed in all.
        pub redeemed: u64,
        /// Raw units in escrow for live redemptions.
        pub escrowed: u64,
        /// Raw units of `escrowed` whose redemption was accepted.
        pub accepted: u64,
        /// Raw units minted in all.
        pub minted: u128,
        /// Raw units burnt in all; minted less burnt is the supply.
        pub burnt: u128,
        /// Live holds whose scope has the mint bit.
        pub mint_holds: u16,
        /// Live holds whose scope has the redeem bit.
        pub redeem_holds: u16,
        /// Live holds whose scope has the transfer bit; the mint is paused while there is one.
        pub transfer_holds: u16,
        /// Zeros, for fields of later versions.
        pub reserved: [u8; 256],
    }
}

impl Security {
    /// The policy in force at `now`; a pending one counts from its time without anybody's step.
    pub fn policy_at(&self, now: i64) -> &Policy {
        if has_come(self.pending_policy_from, now) {
            &self.pending_policy
        } else {
            &self.policy
        }
    }

    /// Hash and number of the custody accounts that an attestation has to list at `now`.
    pub fn custody_accounts_at(&self, now: i64) -> ([u8; 32], u8) {
        if has_come(self.pending_policy_from, now) {
            (self.pending_custody_accounts_hash, self.pending_custody_accounts)
        } else {
            (self.custody_accounts_hash, self.custody_accounts)
        }
    }

    /// Sets policy and custody accounts: at once when nothing is loosened, else after `delay`. What waited is dropped.
    /// Returns the time from which they count.
    pub fn set_policy(
        &mut self,
        policy: Policy,
        custody_accounts_hash: [u8; 32],
        custody_accounts: u8,
        now: i64,
        delay: i64,
    ) -> Result<i64> {
        policy.require_within_bounds()?;
        require_custody_accounts(&custody_accounts_hash, custody_accounts)?;
        if has_come(self.pending_policy_from, now) {
            self.policy = self.pending_policy;
            self.custody_accounts_hash = self.pending_custody_accounts_hash;
            self.custody_accounts = self.pending_custody_accounts;
        }
        self.drop_pending_policy();
        if policy.is_no_looser_than(&self.policy)
            && custody_accounts_hash == self.custody_accounts_hash
            && custody_accounts == self.custody_accounts
        {
            self.policy = policy;
            return Ok(now);
        }
        self.pending_policy = policy;
        self.pending_custody_accounts_hash = custody_accounts_hash;
        self.pending_custody_accounts = custody_accounts;
        self.pending_policy_from = now.checked_add(delay).ok_or(TallystickError::Overflow)?;
        Ok(self.pending_policy_from)
    }

    pub fn drop_pending_policy(&mut self) {
        self.pending_policy = Policy::NONE;
        self.pending_custody_accounts_hash = [0; 32];
        self.pending_custody_accounts = 0;
        self.pending_policy_from = 0;
    }

    /// Where a seizure at `now` moves tokens to; the default key while none is named.
    pub fn seizure_account_at(&self, now: i64) -> Pubkey {
        if has_come(self.pending_seizure_from, now) {
            self.pending_seizure_account
        } else {
            self.seizure_account
        }
    }

    /// Names where seizures move tokens to, after `delay`; the default key, or the account in force, at once. What
    /// waited is dropped. Returns the time from which it counts.
    pub fn name_seizure_account(&mut self, account: Pubkey, now: i64, delay: i64) -> Result<i64> {
        self.seizure_account = self.seizure_account_at(now);
        self.drop_pending_seizure_account();
        if account == Pubkey::default() || account == self.seizure_account {
            self.seizure_account = account;
            return Ok(now);
        }
        self.pending_seizure_account = account;
        self.pending_seizure_from = now.checked_add(delay).ok_or(TallystickError::Overflow)?;
        Ok(self.pending_seizure_from)
    }

    pub fn drop_pending_seizure_account(&mut self) {
        self.pending_seizure_account = Pubkey::default();
        self.pending_seizure_from = 0;
    }

    pub fn drop_pending_metadata(&mut self) {
        self.pending_metadata_hash = [0; 32];
        self.pending_metadata_from = 0;
    }

    /// Multiplier in force at `now`.
    pub fn multiplier_at(&self, now: i64) -> u128 {
        if self.change_has_matured(now) {
            self.pending_multiplier
        } else {
            self.multiplier
        }
    }

    fn change_has_matured(&self, now: i64) -> bool {
        has_come(self.multiplier_effective_at, now)
    }

    /// Refuses where a hold covers transfers: Token-2022 would refuse with a code of its own.
    pub fn require_transfer_not_held(&self) -> Result<()> {
        require!(self.transfer_holds == 0, TallystickError::TransferHeld);
        Ok(())
    }

    /// Makes a change whose time has come the multiplier, so that the next one can wait in its place.
    fn fold_change(&mut self, now: i64) {
        if self.change_has_matured(now) {
            self.multiplier = self.pending_multiplier;
            self.multiplier_changed_at = self.multiplier_effective_at;
            self.drop_change();
        }
    }

    fn drop_change(&mut self) {
        self.pending_multiplier = 0;
        self.multiplier_effective_at = 0;
    }

    /// Lets the multiplier change by `numerator` over `denominator` at `effective_at`, which is ahead (law 5).
    pub fn schedule_change(
        &mut self,
        numerator: u64,
        denominator: u64,
        effective_at: i64,
        now: i64,
    ) -> Result<()> {
        self.fold_change(now);
        require!(self.multiplier_effective_at == 0, TallystickError::ChangePending);
        require!(now < effective_at, TallystickError::EffectiveTimePassed);
        // Rounded down: each raw unit is worth no more than the ratio says.
        let changed = changed_multiplier(self.multiplier, numerator, denominator)
            .ok_or(TallystickError::MultiplierOutOfRange)?;
        self.pending_multiplier = changed;
        self.multiplier_effective_at = effective_at;
        self.require_expressible(self.minted.saturating_sub(self.burnt))
    }

    /// Refuses where a pending change would lift the shares of `raw` units over 64 bits: nothing could be redeemed.
    fn require_expressible(&self, raw: u128) -> Result<()> {
        let fits = self.multiplier_effective_at == 0
            || u64::try_from(raw).is_ok_and(|raw| shares_rounded_up(raw, self.pending_multiplier).is_ok());
        require!(fits, TallystickError::MultiplierOutOfRange);
        Ok(())
    }

    /// Takes back the pending change, which has not taken effect: nothing changed, so the reserve backs as before.
    pub fn take_change_back(&mut self, effective_at: i64, now: i64) -> Result<()> {
        require!(
            self.multiplier_effective_at == effective_at && !self.change_has_matured(now),
            TallystickError::InvariantBroken
        );
        self.drop_change();
        Ok(())
    }

    pub fn require_active(&self) -> Result<()> {
        require!(
            self.status == SecurityStatus::Active,
            TallystickError::SecurityRetired
        );
        Ok(())
    }

    /// Refuses where a hold covers minting; a transfer hold covers it too.
    pub fn require_mint_not_held(&self) -> Result<()> {
        require!(
            self.mint_holds == 0 && self.transfer_holds == 0,
            TallystickError::MintHeld
        );
        Ok(())
    }

    /// Refuses where a hold covers redeeming; a transfer hold covers it too.
    pub fn require_redeem_not_held(&self) -> Result<()> {
        require!(
            self.redeem_holds == 0 && self.transfer_holds == 0,
            TallystickError::RedeemHeld
        );
        Ok(())
    }

    /// Refuses when the reserve in force may not back any mint now (law 1).
    pub fn require_reserve_usable(&self, now: i64) -> Result<()> {
        require!(
            self.reserve_as_of > 0 && self.attestation != Pubkey::default(),
            TallystickError::NoReserve
        );
        // Saturating: an as-of before 1970 is simply too old.
        require!(
            now.saturating_sub(self.reserve_as_of) <= self.policy_at(now).max_attestation_age,
            TallystickError::ReserveTooOld
        );
        let last_change = if self.change_has_matured(now) {
            self.multiplier_effective_at
        } else {
            require!(
                self.multiplier_effective_at == 0
                    || now
                        < self
                            .multiplier_effective_at
                            .saturating_sub(self.policy_at(now).change_window),
                TallystickError::MultiplierChangeWindow
            );
            self.multiplier_changed_at
        };
        require!(
            self.reserve_as_of > last_change,
            TallystickError::ReserveBeforeMultiplierChange
        );
        Ok(())
    }

    /// Shares x 10^decimals that may back tokens: the reserve, less what was redeemed since its as-of, less
    /// the margin; rounded down.
    pub fn backing(&self, now: i64) -> u64 {
        let since = self.redeemed.saturating_sub(self.reserve_redeemed);
        let left = u128::from(self.reserve.saturating_sub(since));
        let kept = u128::from(BASIS_POINTS - u64::from(self.policy_at(now).margin));
        (left * kept / u128::from(BASIS_POINTS)) as u64
    }

    /// Records a mint of `raw` units, or refuses it (laws 1 and 2). `supply` is the mint's, before.
    pub fn mint(&mut self, raw: u64, supply: u64, now: i64) -> Result<()> {
        self.require_reserve_usable(now)?;
        self.require_supply(supply)?;
        let after = supply
            .checked_add(raw)
            .ok_or(TallystickError::SupplyCapExceeded)?;
        require!(
            after <= self.policy_at(now).supply_cap,
            TallystickError::SupplyCapExceeded
        );
        require!(
            shares_rounded_up(after, self.multiplier_at(now))? <= self.backing(now),
            TallystickError::ReserveExceeded
        );
        self.require_expressible(u128::from(after))?;
        self.minted += u128::from(raw);
        Ok(())
    }

    /// Records a burn of `raw` units; `supply` is the mint's, before.
    pub fn burn(&mut self, raw: u64, supply: u64) -> Result<()> {
        self.require_supply(supply)?;
        self.burnt += u128::from(raw);
        require!(self.burnt <= self.minted, TallystickError::SupplyDiverged);
        Ok(())
    }

    /// Records that `raw` escrowed and accepted units were redeemed for `shares`.
    pub fn redeem(&mut self, raw: u64, shares: u64, supply: u64) -> Result<()> {
        self.burn(raw, supply)?;
        self.release_escrow(raw, true)?;
        self.redeemed = self
            .redeemed
            .checked_add(shares)
            .ok_or(TallystickError::Overflow)?;
        Ok(())
    }

    /// Counts `raw` units out of escrow, out of the accepted ones too where they were.
    pub fn release_escrow(&mut self, raw: u64, was_accepted: bool) -> Result<()> {
        self.escrowed = self
            .escrowed
            .checked_sub(raw)
            .ok_or(TallystickError::InvariantBroken)?;
        if was_accepted {
            self.accepted = self
                .accepted
                .checked_sub(raw)
                .ok_or(TallystickError::InvariantBroken)?;
        }
        Ok(())
    }

    fn require_supply(&self, supply: u64) -> Result<()> {
        require!(
            self.minted.checked_sub(self.burnt) == Some(u128::from(supply)),
            TallystickError::SupplyDiverged
        );
        Ok(())
    }

    /// Whether an attestation may come in force after the one that is.
    pub fn require_newer(&self, as_of: i64, supersedes: Pubkey, now: i64) -> Result<()> {
        require!(as_of > 0 && as_of <= now, TallystickError::AsOfInTheFuture);
        require!(
            now.saturating_sub(as_of) <= self.policy_at(now).max_attestation_age,
            TallystickError::AttestationTooOld
        );
        let replaces = as_of == self.reserve_as_of && supersedes == self.attestation;
        require!(
            as_of > self.reserve_as_of || replaces,
            TallystickError::AttestationNotNewer
        );
        Ok(())
    }

    /// Refuses a claim that more shares had left custody than redemptions were settled so far. An accepted one
    /// does not count yet, even where its shares left: it may be returned, and another settled after the as-of
    /// would then pass for it. Counting late only lowers the backing, until the next attestation.
    pub fn require_redeemed_settled(&self, redeemed: u64) -> Result<()> {
        require!(redeemed <= self.redeemed, TallystickError::RedeemedTooHigh);
        Ok(())
    }

    /// Puts an attestation in force and extends the running hash.
    pub fn put_in_force(
        &mut self,
        attestation: Pubkey,
        content_hash: &[u8; 32],
        reserve: u64,
        redeemed: u64,
        as_of: i64,
    ) -> Result<()> {
        self.reserve = reserve;
        self.reserve_as_of = as_of;
        self.reserve_redeemed = redeemed;
        self.attestation = attestation;
        self.attestations_hash = hashv(&[&self.attestations_hash, content_hash]).to_bytes();
        self.attestations = self
            .attestations
            .checked_add(1)
            .ok_or(TallystickError::Overflow)?;
        Ok(())
    }

    /// Counts a hold in; true when transfers have to be paused now.
    pub fn add_hold(&mut self, scope: u8) -> Result<bool> {
        self.count_holds(scope, |count| count.checked_add(1))?;
        Ok(scope & SCOPE_TRANSFER != 0 && self.transfer_holds == 1)
    }

    /// Counts a hold out; true when transfers have to be resumed now.
    pub fn remove_hold(&mut self, scope: u8) -> Result<bool> {
        self.count_holds(scope, |count| count.checked_sub(1))?;
        Ok(scope & SCOPE_TRANSFER != 0 && self.transfer_holds == 0)
    }

    fn count_holds(&mut self, scope: u8, step: impl Fn(u16) -> Option<u16>) -> Result<()> {
        let counted = |count: u16, bit: u8| {
            if scope & bit == 0 {
                return Ok(count);
            }
            step(count).ok_or(TallystickError::HoldCountDiverged)
        };
        self.mint_holds = counted(self.mint_holds, SCOPE_MINT)?;
        self.redeem_holds = counted(self.redeem_holds, SCOPE_REDEEM)?;
        self.transfer_holds = counted(self.transfer_holds, SCOPE_TRANSFER)?;
        Ok(())
    }

    pub fn invariant(&self) -> Result<()> {
        self.policy.require_within_bounds()?;
        if self.pending_policy_from != 0 {
            self.pending_policy.require_within_bounds()?;
        }
        require!(
            self.multiplier > 0
                && (self.pending_policy_from == 0) == (self.pending_custody_accounts == 0)
                && (self.pending_seizure_from == 0) == (self.pending_seizure_account == Pubkey::default())
                && (self.pending_metadata_from == 0) == (self.pending_metadata_hash == [0; 32])
                && self.burnt <= self.minted
                && self.accepted <= self.escrowed
                && (self.multiplier_effective_at == 0) == (self.pending_multiplier == 0)
                && (self.reserve_as_of == 0) == (self.attestations == 0),
            TallystickError::InvariantBroken
        );
        Ok(())
    }
}

/// Whether a time that something waits for has come; 0 means that nothing waits.
fn has_come(from: i64, now: i64) -> bool {
    from != 0 && now >= from
}

/// Custody accounts as a security may declare them.
pub fn require_custody_accounts(hash: &[u8; 32], count: u8) -> Result<()> {
    require!(*hash != [0; 32], TallystickError::HashMissing);
    require!(
        (1..=MAX_CUSTODY_ACCOUNTS).contains(&count),
        TallystickError::CustodyAccountsOutOfBounds
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::policy::tests::policy;

    fn security() -> Security {
        Security {
            version: VERSION,
            bump: 255,
            status: SecurityStatus::Active,
            permissioned: false,
            decimals: 8,
            issuer: Pubkey::default(),
            mint: Pubkey::default(),
            escrow: Pubkey::default(),
            security_id: [1; 32],
            isin: *b"US0378331005",
            previous_isin: [0; 12],
            ticker: [0; 16],
            terms_hash: [1; 32],
            pending_metadata_hash: [0; 32],
            pending_metadata_from: 0,
            seizure_account: Pubkey::default(),
            pending_seizure_account: Pubkey::default(),
            pending_seizure_from: 0,
            custody_accounts_hash: [1; 32],
            custody_accounts: 1,
            policy: policy(),
            pending_custody_accounts_hash: [0; 32],
            pending_custody_accounts: 0,
            pending_policy: Policy::NONE,
            pending_policy_from: 0,
            multiplier: MULTIPLIER_ONE,
            pending_multiplier: 0,
            multiplier_effective_at: 0,
            multiplier_changed_at: 0,
            reserve: 100,
            reserve_as_of: 1_000,
            reserve_redeemed: 0,
            attestation: Pubkey::new_from_array([1; 32]),
            attestations_hash: [0; 32],
            attestations: 1,
            redeemed: 0,
            escrowed: 0,
            accepted: 0,
            minted: 0,
            burnt: 0,
            mint_holds: 0,
            redeem_holds: 0,
            transfer_holds: 0,
            reserved: [0; 256],
        }
    }

    fn refused(result: Result<()>) -> anchor_lang::error::Error {
        result.unwrap_err()
    }

    #[test]
    fn a_mint_up_to_the_reserve_passes_and_one_unit_more_does_not() {
        let mut security = security();
        security.mint(100, 0, 1_001).unwrap();
        assert_eq!(
            refused(security.mint(1, 100, 1_001)),
            TallystickError::ReserveExceeded.into()
        );
    }

    #[test]
    fn what_was_redeemed_since_the_as_of_no_longer_backs() {
        let mut security = security();
        security.redeemed = 30;
        security.reserve_redeemed = 10;
        assert_eq!(security.backing(1_001), 80);
        security.redeemed = 500;
        assert_eq!(security.backing(1_001), 0);
    }

    #[test]
    fn an_accepted_redemption_does_not_count_as_redeemed_yet() {
        let mut security = security();
        (security.escrowed, security.accepted, security.redeemed) = (20, 20, 10);
        assert!(security.require_redeemed_settled(10).is_ok());
        assert_eq!(
            refused(security.require_redeemed_settled(11)),
            TallystickError::RedeemedTooHigh.into()
        );
    }

    #[test]
    fn the_margin_is_taken_off_rounded_down() {
        let mut security = security();
        security.policy.margin = 100;
        security.reserve = 199;
        assert_eq!(security.backing(1_001), 197);
    }

    #[test]
    fn a_reserve_older_than_the_maximum_age_backs_nothing() {
        assert!(security().require_reserve_usable(1_000 + DAY).is_ok());
        assert_eq!(
            refused(security().require_reserve_usable(1_001 + DAY)),
            TallystickError::ReserveTooOld.into()
        );
    }

    #[test]
    fn a_reserve_from_before_a_split_backs_nothing() {
        let mut security = security();
        security.pending_multiplier = MULTIPLIER_ONE / 10;
        security.multiplier_effective_at = 1_000;
        assert_eq!(
            refused(security.require_reserve_usable(1_000)),
            TallystickError::ReserveBeforeMultiplierChange.into()
        );
        security.reserve_as_of = 1_001;
        assert!(security.require_reserve_usable(1_001).is_ok());
    }

    #[test]
    fn nothing_is_minted_inside_the_window_before_a_change() {
        let mut security = security();
        security.pending_multiplier = MULTIPLIER_ONE * 2;
        security.multiplier_effective_at = 10_000;
        assert!(security.require_reserve_usable(10_000 - HOUR - 1).is_ok());
        assert_eq!(
            refused(security.require_reserve_usable(10_000 - HOUR)),
            TallystickError::MultiplierChangeWindow.into()
        );
    }

    #[test]
    fn the_multiplier_in_force_depends_on_the_clock() {
        let mut security = security();
        security.pending_multiplier = MULTIPLIER_ONE * 2;
        security.multiplier_effective_at = 50;
        assert_eq!(security.multiplier_at(49), MULTIPLIER_ONE);
        assert_eq!(security.multiplier_at(50), MULTIPLIER_ONE * 2);
    }

    #[test]
    fn one_change_waits_at_a_time_and_a_matured_one_is_folded_in() {
        let mut security = security();
        security.schedule_change(2, 1, 50, 10).unwrap();
        assert_eq!(
            refused(security.clone().schedule_change(2, 1, 60, 49)),
            TallystickError::ChangePending.into()
        );
        security.schedule_change(1, 4, 60, 50).unwrap();
        assert_eq!(
            (security.multiplier_at(59), security.multiplier_at(60)),
            (MULTIPLIER_ONE * 2, MULTIPLIER_ONE / 2)
        );
        assert_eq!({ security.multiplier_changed_at }, 50);
        assert!(security.invariant().is_ok());
    }

    #[test]
    fn a_change_is_ahead_above_zero_and_leaves_every_share_expressible() {
        let mut security = security();
        assert_eq!(
            refused(security.schedule_change(2, 1, 10, 10)),
            TallystickError::EffectiveTimePassed.into()
        );
        (security.multiplier, security.minted) = (1, 1);
        assert_eq!(
            refused(security.clone().schedule_change(1, 2, 11, 10)),
            TallystickError::MultiplierOutOfRange.into()
        );
        (security.multiplier, security.minted) = (MULTIPLIER_ONE, u128::from(u64::MAX / 2 + 1));
        assert_eq!(
            refused(security.clone().schedule_change(2, 1, 11, 10)),
            TallystickError::MultiplierOutOfRange.into()
        );
        security.minted -= 1;
        assert!(security.schedule_change(2, 1, 11, 10).is_ok());
    }

    #[test]
    fn a_mint_before_a_change_leaves_every_share_expressible_after_it() {
        let mut security = security();
        security.policy.supply_cap = u64::MAX;
        security.reserve = u64::MAX;
        (security.pending_multiplier, security.multiplier_effective_at) = (MULTIPLIER_ONE * 2, 100_000);
        security.clone().mint(u64::MAX / 2, 0, 1_001).unwrap();
        assert_eq!(
            refused(security.mint(u64::MAX / 2 + 1, 0, 1_001)),
            TallystickError::MultiplierOutOfRange.into()
        );
    }

    #[test]
    fn a_change_taken_back_leaves_the_reserve_as_usable_as_before() {
        let mut security = security();
        security.schedule_change(2, 1, 2_000, 1_000).unwrap();
        assert!(security.require_reserve_usable(1_001).is_err());
        assert!(security.clone().take_change_back(2_000, 2_000).is_err());
        assert!(security.clone().take_change_back(1_999, 1_001).is_err());
        security.take_change_back(2_000, 1_999).unwrap();
        assert!(security.require_reserve_usable(1_999).is_ok());
        assert_eq!(security.multiplier_at(3_000), MULTIPLIER_ONE);
    }

    #[test]
    fn a_supply_that_the_ledger_does_not_explain_stops_minting() {
        assert_eq!(
            refused(security().mint(1, 5, 1_001)),
            TallystickError::SupplyDiverged.into()
        );
    }

    #[test]
    fn the_supply_cap_holds_beside_the_reserve() {
        let mut security = security();
        security.policy.supply_cap = 50;
        assert_eq!(
            refused(security.mint(51, 0, 1_001)),
            TallystickError::SupplyCapExceeded.into()
        );
    }

    #[test]
    fn a_tightened_policy_counts_at_once_and_drops_what_waited() {
        let mut security = security();
        let looser = Policy {
            supply_cap: 2_000_000,
            ..policy()
        };
        assert_eq!(security.set_policy(looser, [1; 32], 1, 100, 10).unwrap(), 110);
        let tighter = Policy {
            margin: 100,
            ..policy()
        };
        assert_eq!(security.set_policy(tighter, [1; 32], 1, 105, 10).unwrap(), 105);
        assert_eq!(*security.policy_at(1_000), tighter);
        assert_eq!({ security.pending_policy_from }, 0);
        assert!(security.invariant().is_ok());
    }

    #[test]
    fn a_loosened_policy_counts_from_its_time_without_a_step() {
        let mut security = security();
        let looser = Policy {
            margin: 0,
            supply_cap: 2_000_000,
            ..policy()
        };
        security.set_policy(looser, [1; 32], 1, 100, 10).unwrap();
        assert!(security.invariant().is_ok());
        assert_eq!(*security.policy_at(109), policy());
        assert_eq!(*security.policy_at(110), looser);
        // Compared with what counts by then: keeping the looser one loosens nothing any more.
        assert_eq!(security.set_policy(looser, [1; 32], 1, 110, 10).unwrap(), 110);
    }

    #[test]
    fn other_custody_accounts_wait_whatever_the_policy() {
        let mut security = security();
        security.set_policy(policy(), [2; 32], 2, 100, 10).unwrap();
        assert_eq!(security.custody_accounts_at(109), ([1; 32], 1));
        assert_eq!(security.custody_accounts_at(110), ([2; 32], 2));
        assert!(security.set_policy(policy(), [0; 32], 2, 100, 10).is_err());
        assert!(security.set_policy(policy(), [2; 32], 0, 100, 10).is_err());
        assert!(security
            .set_policy(policy(), [2; 32], MAX_CUSTODY_ACCOUNTS + 1, 100, 10)
            .is_err());
    }

    #[test]
    fn a_seizure_account_waits_and_clearing_it_does_not() {
        let mut security = security();
        let (first, second) = (Pubkey::new_from_array([1; 32]), Pubkey::new_from_array([2; 32]));
        assert_eq!(security.name_seizure_account(first, 100, 10).unwrap(), 110);
        assert_eq!(security.seizure_account_at(109), Pubkey::default());
        assert_eq!(security.seizure_account_at(110), first);
        assert_eq!(security.name_seizure_account(second, 120, 10).unwrap(), 130);
        assert_eq!(security.seizure_account_at(129), first);
        assert_eq!(security.name_seizure_account(first, 125, 10).unwrap(), 125);
        assert_eq!(security.seizure_account_at(200), first);
        assert_eq!(
            security.name_seizure_account(Pubkey::default(), 200, 10).unwrap(),
            200
        );
        assert_eq!(security.seizure_account_at(i64::MAX), Pubkey::default());
        assert!(security.invariant().is_ok());
    }

    #[test]
    fn an_equal_as_of_must_name_what_it_replaces() {
        let security = security();
        assert!(security.require_newer(1_001, Pubkey::default(), 1_001).is_ok());
        assert!(security.require_newer(1_000, Pubkey::default(), 1_001).is_err());
        assert!(security.require_newer(1_000, security.attestation, 1_001).is_ok());
        assert!(security.require_newer(999, security.attestation, 1_001).is_err());
        assert!(security.require_newer(1_002, Pubkey::default(), 1_001).is_err());
    }

    #[test]
    fn overlapping_holds_are_counted_not_toggled() {
        let mut security = security();
        assert!(security.add_hold(SCOPE_TRANSFER).unwrap());
        assert!(!security.add_hold(SCOPE_TRANSFER | SCOPE_MINT).unwrap());
        assert!(!security.remove_hold(SCOPE_TRANSFER).unwrap());
        assert!(security.require_redeem_not_held().is_err());
        assert!(security.remove_hold(SCOPE_TRANSFER | SCOPE_MINT).unwrap());
        assert!(security.require_mint_not_held().is_ok());
        assert!(security.remove_hold(SCOPE_MINT).is_err());
    }
}
