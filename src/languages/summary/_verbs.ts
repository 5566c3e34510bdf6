/**
 * What functions do: verbs that open a description, in their base form. Found by reading the first words of half a
 * million documentations. Verbs of state (`contains`, `represents`, `supports`, `provides`, `allows`) are left out on purpose:
 * they tell what a value, a class or a setting is.
 */
const BASES =
  `abort absorb accept access accumulate acknowledge acquire act activate adapt add adjust advance advertise aggregate align
  allocate allot alter alternate analyse analyze animate annotate announce answer append apply approve approximate archive arm
  arrange ask assemble assert assign associate attach attempt audit augment authenticate authorise authorize
  await back backup bail balance ban batch begin bind bisect blend blit block blur boot bootstrap bounce bracket break bridge bring
  broadcast browse bubble buffer build bulk bump burn bypass cache calculate calibrate call cancel canonicalise canonicalize
  capitalise capitalize capture carry cast catch center centre certify chain change charge check choose chop chunk claim clamp
  clarify classify clean cleanse cleanup clear click clip clone close cluster coalesce code coerce collapse collate collect color
  colorize colour combine commit compact compare compensate compile complete compose compress compute concat concatenate
  condense configure confirm conjugate connect consider consolidate construct consult consume continue contract convert convolve
  coordinate copy correct correlate count couple cover craft crawl create crop cross cull customise customize cut cycle deal
  deactivate deallocate debounce debug decide declare decode decompile decompose decompress deconstruct decorate decrease
  decrement decrypt dedent deduce deduct deduplicate deepen defer define deflate defragment degrade delay delegate delete deliver
  demangle demodulate demote demultiplex denormalize deny deparse deploy deprecate deprovision dequantize dequeue deref dereference
  deregister derive descend deselect deserialise deserialize destroy destruct detach detect determine devise diagnose dial die diff
  differentiate digest dilate dim direct disable disallow disarm disassemble disassociate discard disconnect discover dismiss
  dispatch display dispose dissolve distribute divide do dot double download downgrade downsample drag drain draw drive drop dump
  duplicate echo edit eject elect elevate eliminate embed emit employ empty emulate enable encapsulate enclose encode encrypt end
  enforce engage enlarge enlist enqueue enrich enroll ensure enter enumerate equalize erase erode escape establish estimate
  evaluate evict evolve examine exchange exclude execute exit expand expect expire explain explode explore export expose express
  extend extract extrapolate factor factorize fade fail fake fall feed fetch fill filter finalise finalize find finish fire fit fix
  flag flatten flip float flood flush focus fold follow force forget fork form format forward free freeze fuse gather generate get
  give go grab grant grey group grow guarantee guess halt handle hash heal hide highlight hint hit hoist hold hook hover hydrate
  identify ignore import impute increase increment indent index infer inflate inform inherit init initialise initialize
  initiate inject inline insert inspect install instantiate instruct instrument integrate intercept interchange interleave interpolate
  interpret interrupt intersect introduce invalidate invert investigate invoke isolate issue iterate join judge jump keep kick
  kill label launch lay lazy-load learn leave left-pad lend let lex lift limit linearize link lint list listen load localise localize
  locate lock log login logout lookup loop lower lowercase maintain make manage manipulate map mark marshal marshall mask
  match materialize measure memoize merge migrate minify minimise minimize mirror mix mock modify monitor mount move multicast multiplex
  multiply mutate mute name narrow navigate negate negotiate nest normalise normalize notify nudge number obfuscate observe obtain offload
  offset omit open operate optimise optimize orchestrate order orient output overlay overwrite pack package pad page paginate paint pair
  pan parallelize park parse partition pass paste patch pause peek penalize perform permute persist perturb pick pin ping pipe place plan play plot
  poll pop populate position post postpone postprocess precalculate precompute predict preempt prefetch prefix preload prepare prepend preprocess present
  preserve press pretend pretty-print prevent print prioritize probe process produce profile project promote prompt propagate
  protect provision proxy prune publish pull pump purge push put quantize query queue quit quote raise randomise randomize rank rate
  re-add re-create re-enable re-initialize re-open re-parse re-raise re-read re-render re-run re-send re-sort re-throw re-use reach react read readjust realign reallocate reapply rearrange reassemble
  reassign rebalance rebase rebind reboot rebuild recalculate receive recheck reclaim recognise recognize recommend recompile recompute reconcile reconfigure reconnect
  reconstruct record recover recreate recurse recycle redact redefine redirect redisplay redistribute redo redraw reduce reevaluate refactor refer refetch refill
  refine reflect reflow reformat refresh refuse regenerate register regrow reindex reinitialise reinitialize reinsert reinstall reinterpret reissue reject
  relate relax relay release relinquish reload relocate remap remember remind remove rename render renew reopen reorder reorganize
  repack repair repaint repeat replace replay replicate reply repopulate report reposition request requeue rerender reroute rerun resample rescale rescan
  rescale reschedule reseed reselect resend reserve reset reshape resize resolve resort respond restart restore restrict restructure
  resubmit resume resync retain retarget retransmit retrieve retry return reuse reveal reverse revert revive revoke rewind rewire rewrite roll
  rollback rotate round route run sample sanitise sanitize satisfy save say scale scan scatter schedule score scrape scroll scrub seal search seed seek
  segment select send separate serialise serialize serve set setup shade shape share shift show shred shrink shuffle shut shutdown sift sign signal
  silence simplify simulate skip slash sleep slice slide slow slugify smooth snap sniff snooze solve sort spawn speak specialize spill spin splice
  split spread squash squeeze stack stage stamp start stash step stop store stream stretch stringify strip stub style sub subdivide submit
  subscribe subset substitute subtract sum summarise summarize supersede supply suppress suspend swap sweep switch symbolize sync synchronise synchronize
  synthesize tabulate tag take tally tap teach tear tell terminate test throttle throw tick tidy tie tighten tile time toggle tokenise tokenize touch trace track
  train transcode transcribe transfer transform transition translate transliterate transmit transpile transport transpose trap traverse
  treat trigger trim truncate try tune turn tweak type-check typecast typecheck unassign unban unbind unblock unbox uncheck uncompress undelete undo
  unescape unfold unfollow unfreeze unhide unhook uninstall union unify unlink unload unlock unmap unmark unmarshal unmarshall unmask unmount unmute unpack unpause unpin unquote
  unregister unroll unschedule unselect unserialize unset unshare unstage unsubscribe untar unwind unwrap unzip update upgrade upload
  uppercase upsample upsert validate verify view visit visualize vote wait wake walk warm warn wash watch weigh widen wipe wire wrap write yield
  zero zip zoom`.split(/\s+/);

const FORMS: ReadonlySet<string> = new Set(BASES.flatMap((base) => [base, thirdPerson(base)]));

function thirdPerson(base: string): string {
  if (base === "quit") return "quits";
  if (/(?:s|x|z|ch|sh|[^aeiou]o)$/.test(base)) return `${base}es`;
  return /[^aeiou]y$/.test(base) ? `${base.slice(0, -1)}ies` : `${base}s`;
}

/** True for `find` and `finds`. */
export function isVerb(word: string): boolean {
  return FORMS.has(word.toLowerCase());
}
