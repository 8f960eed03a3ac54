//! Tokenised shares that are minted only against an attested reserve.
//!
//! This file says who may call what; each line forwards to one file under `instructions`.

use anchor_lang::prelude::*;

pub mod constants;
#[cfg_attr(not(all(own_entrypoint, target_os = "solana")), allow(dead_code))]
mod entrypoint;
pub mod errors;
pub mod events;
#[cfg(target_os = "solana")]
mod heap;
pub mod instructions;
pub mod once;
pub mod payment;
pub mod runtime;
pub mod slot_hashes;
pub mod state;
pub mod token;

use instructions::*;

// The key of this id is derived from a published phrase (client/tallystick/program/loader.py): right for test clusters, never
// for mainnet, where an issuer builds with an id of its own.
declare_id!("3Cxvquf5mTGYGn8AFrVjoDTYQQLZeG5QgDX9DhzfTSVS");

#[program]
pub mod tallystick {
    use super::*;

    // ---- issuer ----

    /// Creates an issuer and its first guardian. Signed by the program's upgrade authority too.
    pub fn initialize(ctx: Context<Initialize>, params: InitializeParams) -> Result<()> {
        instructions::initialize(ctx, params)
    }

    /// Names the next admin, who may accept after the delay.
    pub fn propose_admin(ctx: Context<ProposeAdmin>, params: ProposeAdminParams) -> Result<()> {
        instructions::propose_admin(ctx, params)
    }

    /// Takes over as admin.
    pub fn accept_admin(ctx: Context<AcceptAdmin>) -> Result<()> {
        instructions::accept_admin(ctx)
    }

    /// Grants a role, in force after the delay. By the admin.
    pub fn grant_role(ctx: Context<GrantRole>, params: GrantRoleParams) -> Result<()> {
        instructions::grant_role(ctx, params)
    }

    /// Ends a role at once; a guardian's after the delay. By the admin.
    pub fn revoke_role(ctx: Context<RevokeRole>) -> Result<()> {
        instructions::revoke_role(ctx)
    }

    /// Stops a change that waits. By a guardian; for its own removal with compliance.
    pub fn veto(ctx: Context<Veto>, params: VetoParams) -> Result<()> {
        instructions::veto(ctx, params)
    }

    // ---- security ----

    /// Lists a security: its mint, escrow and policy. By the admin.
    pub fn list_security(ctx: Context<ListSecurity>, params: ListSecurityParams) -> Result<()> {
        instructions::list_security(ctx, params)
    }

    /// Sets what one operator may mint and burn. By the admin; loosening waits.
    pub fn set_limit(ctx: Context<SetLimit>, params: SetLimitParams) -> Result<()> {
        instructions::set_limit(ctx, params)
    }

    /// Stops minting, redeeming or transfers for a reason. By a role that may hold.
    pub fn place_hold(ctx: Context<PlaceHold>, params: PlaceHoldParams) -> Result<()> {
        instructions::place_hold(ctx, params)
    }

    /// Lifts a hold. By its owner; by anyone once it expired.
    pub fn release_hold(ctx: Context<ReleaseHold>) -> Result<()> {
        instructions::release_hold(ctx)
    }

    /// Sets policy and custody accounts. By the admin; loosening waits.
    pub fn update_policy(ctx: Context<UpdatePolicy>, params: UpdatePolicyParams) -> Result<()> {
        instructions::update_policy(ctx, params)
    }

    /// Names where seizures move tokens to, after the delay; none at once. By the admin.
    pub fn name_seizure_account(ctx: Context<NameSeizureAccount>) -> Result<()> {
        instructions::name_seizure_account(ctx)
    }

    /// Announces metadata and terms, to be written after the notice. By the admin.
    pub fn announce_metadata(ctx: Context<AnnounceMetadata>, params: MetadataParams) -> Result<()> {
        instructions::announce_metadata(ctx, params)
    }

    /// Writes the metadata and terms that were announced. By the admin.
    pub fn update_metadata(ctx: Context<UpdateMetadata>, params: MetadataParams) -> Result<()> {
        instructions::update_metadata(ctx, params)
    }

    // ---- holder ----

    /// Approves a wallet to order. By compliance.
    pub fn approve_holder(ctx: Context<ApproveHolder>, params: ApproveHolderParams) -> Result<()> {
        instructions::approve_holder(ctx, params)
    }

    /// Stops a wallet's orders. By compliance.
    pub fn suspend_holder(ctx: Context<SuspendHolder>, params: SuspendHolderParams) -> Result<()> {
        instructions::suspend_holder(ctx, params)
    }

    /// Freezes a token account. By compliance.
    pub fn freeze_account(ctx: Context<FreezeAccount>, params: FreezeAccountParams) -> Result<()> {
        instructions::freeze_account(ctx, params)
    }

    /// Thaws a token account; of a permissioned security only an approved holder's. By compliance.
    pub fn thaw_account(ctx: Context<ThawAccount>, params: ThawAccountParams) -> Result<()> {
        instructions::thaw_account(ctx, params)
    }

    /// Proposes to seize tokens. By compliance.
    pub fn propose_seizure(ctx: Context<ProposeSeizure>, params: ProposeSeizureParams) -> Result<()> {
        instructions::propose_seizure(ctx, params)
    }

    /// Moves the tokens of a proposed seizure to the seizure account. By a second compliance key.
    pub fn seize(ctx: Context<Seize>) -> Result<()> {
        instructions::seize(ctx)
    }

    /// Moves the tokens of a wallet whose key is lost to another of the same investor. By two compliance keys.
    pub fn reissue(ctx: Context<Reissue>, params: ReissueParams) -> Result<()> {
        instructions::reissue(ctx, params)
    }

    // ---- reserve ----

    /// Approves a claim about the reserve, which comes in force at the threshold. By an attestor.
    pub fn attest(ctx: Context<Attest>, params: AttestParams) -> Result<()> {
        instructions::attest(ctx, params)
    }

    // ---- orders ----

    /// Orders tokens for shares. By the holder, or an operator for it.
    pub fn open_subscription(ctx: Context<OpenSubscription>, params: OpenSubscriptionParams) -> Result<()> {
        instructions::open_subscription(ctx, params)
    }

    /// Mints against a custody movement. By an operator.
    pub fn settle_subscription(
        ctx: Context<SettleSubscription>,
        params: SettleSubscriptionParams,
    ) -> Result<()> {
        instructions::settle_subscription(ctx, params)
    }

    /// Ends a subscription. By an operator; by the holder after its deadline.
    pub fn cancel_subscription(
        ctx: Context<CancelSubscription>,
        params: CancelSubscriptionParams,
    ) -> Result<()> {
        instructions::cancel_subscription(ctx, params)
    }

    /// Puts tokens in escrow to redeem them. By the holder.
    pub fn request_redemption(
        ctx: Context<RequestRedemption>,
        params: RequestRedemptionParams,
    ) -> Result<()> {
        instructions::request_redemption(ctx, params)
    }

    /// Commits to a redemption before the custodian is instructed. By an operator.
    pub fn accept_redemption(ctx: Context<AcceptRedemption>) -> Result<()> {
        instructions::accept_redemption(ctx)
    }

    /// Burns escrowed tokens against a custody movement. By an operator.
    pub fn settle_redemption(ctx: Context<SettleRedemption>, params: SettleRedemptionParams) -> Result<()> {
        instructions::settle_redemption(ctx, params)
    }

    /// Ends a redemption and returns the rest. By an operator; by the holder until it is accepted.
    pub fn cancel_redemption(ctx: Context<CancelRedemption>, params: CancelRedemptionParams) -> Result<()> {
        instructions::cancel_redemption(ctx, params)
    }

    /// Takes the rest back after a deadline passed. By the holder.
    pub fn withdraw_redemption(ctx: Context<WithdrawRedemption>) -> Result<()> {
        instructions::withdraw_redemption(ctx)
    }

    /// Undoes part of a wrong mint by burning inventory. By an operator and the inventory's owner.
    pub fn correct_fill(ctx: Context<CorrectFill>, params: CorrectFillParams) -> Result<()> {
        instructions::correct_fill(ctx, params)
    }

    // ---- corporate actions ----

    /// Announces a corporate action, or a new version of one. By a corporate actions key.
    pub fn announce_action(ctx: Context<AnnounceAction>, params: AnnounceActionParams) -> Result<()> {
        instructions::announce_action(ctx, params)
    }

    /// Approves what another key announced. By a corporate actions key.
    pub fn approve_action(ctx: Context<ApproveAction>) -> Result<()> {
        instructions::approve_action(ctx)
    }

    /// Cancels an action before it takes effect. By a corporate actions key or a guardian.
    pub fn cancel_action(ctx: Context<CancelAction>, params: CancelActionParams) -> Result<()> {
        instructions::cancel_action(ctx, params)
    }

    /// Sets the multiplier from the action's effective time. By a corporate actions key.
    pub fn execute_action(ctx: Context<ExecuteAction>) -> Result<()> {
        instructions::execute_action(ctx)
    }

    /// Retires a security that is delisted: no mints, redemptions go on. By a corporate actions key.
    pub fn retire_security(ctx: Context<RetireSecurity>) -> Result<()> {
        instructions::retire_security(ctx)
    }
    // ---- reports ----

    /// Extends the issuer's running hash of daily closes by one day. By a publisher.
    pub fn close_day(ctx: Context<CloseDay>, params: CloseDayParams) -> Result<()> {
        instructions::close_day(ctx, params)
    }

    /// Asks for the day of a period that a second look takes. By a publisher, after the period.
    pub fn request_draw(ctx: Context<RequestDraw>, params: RequestDrawParams) -> Result<()> {
        instructions::request_draw(ctx, params)
    }

    /// Draws that day from the hash of a slot that came after the request. By anyone.
    pub fn draw_day(ctx: Context<DrawDay>) -> Result<()> {
        instructions::draw_day(ctx)
    }

    /// Publishes a reserve report, or a correction of one. By a publisher.
    pub fn publish_report(ctx: Context<PublishReport>, params: PublishReportParams) -> Result<()> {
        instructions::publish_report(ctx, params)
    }

    // ---- distributions ----

    /// Opens a distribution of cash for a corporate action. By a distributor.
    pub fn open_distribution(ctx: Context<OpenDistribution>, params: OpenDistributionParams) -> Result<()> {
        instructions::open_distribution(ctx, params)
    }

    /// Makes room for more batches. By anyone who pays.
    pub fn grow_distribution(ctx: Context<GrowDistribution>) -> Result<()> {
        instructions::grow_distribution(ctx)
    }

    /// Approves who is paid what. By corporate actions, with another key than opened it.
    pub fn approve_distribution(
        ctx: Context<ApproveDistribution>,
        params: ApproveDistributionParams,
    ) -> Result<()> {
        instructions::approve_distribution(ctx, params)
    }

    /// Moves money into escrow. By anyone who has it.
    pub fn fund_distribution(ctx: Context<FundDistribution>, params: FundDistributionParams) -> Result<()> {
        instructions::fund_distribution(ctx, params)
    }

    /// Pays the entries of a batch that can be paid and were not. The recipients follow the other accounts, in the
    /// batch's order. By the payout key.
    pub fn pay_batch(ctx: Context<PayBatch>, params: PayBatchParams) -> Result<()> {
        instructions::pay_batch(ctx, params)
    }

    /// Pays one entry. By anyone, to the entry's owner alone.
    pub fn pay_entitlement(ctx: Context<PayEntitlement>, params: PayEntitlementParams) -> Result<()> {
        instructions::pay_entitlement(ctx, params)
    }

    /// Ends a distribution and refunds the rest. By a distributor.
    pub fn close_distribution(ctx: Context<CloseDistribution>) -> Result<()> {
        instructions::close_distribution(ctx)
    }
}
