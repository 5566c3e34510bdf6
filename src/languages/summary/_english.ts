import { francAll } from "franc-min";

/**
 * True where a summary may be taken for English.
 *
 * Trigram detectors misjudge short technical sentences ("Serialize XML node" is Danish to them), so they decide only
 * where nothing else does: text with English function words or common verbs of documentation passes, text in other
 * scripts fails, words of other languages count against it.
 */
export function isEnglish(text: string): boolean {
  if (isOtherScript(text)) return false;
  const ascii = text.match(/[A-Za-z]/g)?.length ?? 0;
  const latin = ASCII.test(text) ? ascii : (text.match(/\p{Script=Latin}/gu)?.length ?? 0);
  if (latin === 0) return false;
  const words = text.toLowerCase().match(/[\p{L}']+/gu) ?? [];
  let english = 0;
  let foreign = 0;
  for (const word of words) {
    if (ENGLISH.has(word)) english += 1;
    else if (FOREIGN.has(word)) foreign += 1;
  }
  const accents = (latin - ascii) / latin;
  if (foreign > english) return false;
  if (english > 0 && foreign === 0 && accents < 0.05) return true;
  if (english >= 2 * foreign + 2 && accents < 0.05) return true;
  if (words.length < 4 && foreign === 0 && accents === 0) return true;
  // What is left has no common English word at all, or a mixture.
  const ranking = francAll(text, { minLength: 10 });
  const score = ranking.find(([language]) => language === "eng")?.[1] ?? 0;
  return english > 0 ? score >= 0.7 && accents < 0.1 : score >= (accents > 0 ? 0.95 : 0.8) || isNames(text);
}

/** True where more than a few letters are not Latin ones (a Greek symbol or two is mathematics). */
export function isOtherScript(text: string): boolean {
  if (ASCII.test(text)) return false; // Nearly all are, and counting by script is slow.
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0;
  return letters - latin > Math.max(2, 0.15 * letters);
}

const ASCII = /^[\0-\x7f]*$/;

/** Mostly identifiers and numbers: neither English nor anything else; left to the other filters. */
function isNames(text: string): boolean {
  const words = text.match(/\S+/g) ?? [];
  const names = words.filter((word) => /[_\d.()]|[a-z][A-Z]|^[A-Z]{2,}/.test(word.replace(/[.,;:]$/, "")));
  return names.length * 2 > words.length;
}

const ENGLISH: ReadonlySet<string> = new Set(
  `the a an of to and or is are be been was for with without from in on at by if when whether that this these those it
  its as into not no only all any each every one two given same new other than then which where while until after before
  between has have had can will should must may does do used using use uses via but so you your we they there their how
  what who up out over under about also both such some more most less least first last next previous current default
  returns return returned gets get sets set adds add creates create checks check removes remove updates update converts
  convert initializes initialize initialise computes compute calculates calculate handles handle called call calls
  deletes delete finds find loads load saves save reads read writes write sends send parses parse builds build
  generates generate makes make runs run starts start stops stop tests test applies apply prints print draws draw
  renders render validates validate opens open closes close clears clear resets reset registers register fetches fetch
  wraps wrap tries try determines determine retrieves retrieve performs perform inserts insert appends append shows show
  hides hide copies copy splits split joins join merges merge sorts sort counts count moves move replaces replace
  constructs construct constructor destroys destroy allocates allocate frees free enables enable disables disable
  processes process changes change prepares prepare ensures ensure provides provide executes execute invokes invoke
  implements implement implementation specifies specify defines define searches search selects select compares compare
  encodes encode decodes decode formats format triggers trigger iterates iterate transforms transform extracts extract
  helper function method object value values string number array list file name names data object objects class element
  node key keys true false null input output error message user path type types index size length time date event
  request response server client password hash thread lock buffer memory array byte bytes bits string table row column index
  tree graph edge matrix vector image color window button field header body status code queue stack cache pointer
  page user account session token query database record entry item items count total sum average maximum minimum
  search sort binary search random number prime factorial recursive recursively line lines text word words character
  characters width height position rotation scale angle distance point circle rectangle triangle layer model view
  controller config configuration option options setting settings version module package import export command
  task job worker timer delay timeout interval listener callback hook plugin test debug log logger exception
  if valid invalid empty full available required optional specific multiple single simple based according
  internal external global local public private static dynamic automatic automatically manually
  around into onto across through during within against per along horizontally vertically
  server client connection parameter parameters argument arguments result results property properties`
    .split(/\s+/)
    .filter((word) => word !== ""),
);

/** Frequent words of languages that comments are written in, none of them English or a usual name in code. */
const FOREIGN: ReadonlySet<string> = new Set(
  `el los las una uno del al por con para como esta este esto cuando donde devuelve obtiene obtener funcion función método
  que se su sus más está según si es der die das und ein eine einen einer eines ist sind wird werden nicht mit für von zu
  zum zur auf aus bei nach über liefert gibt zurück ob oder dem den wenn dass sich le les des une et est sont dans pour
  sur avec qui ce cette ces aux ou où retourne renvoie permet du au ne pas il lo gli della delle dei di che non per
  sono questo questa restituisce ritorna alla nel nella da em um uma não os ao dos das pelo pela retorna são você
  het een van en voor niet dat zijn wordt naar och att för som är inte av og til ikke jest nie dla oraz przez zwraca
  na się lub ve bir için ile olarak yang dan untuk dari dengan ini adalah pada je ze pro při které funkce az egy hogy
  wo ga wa desu masu`
    .split(/\s+/)
    .filter((word) => word !== ""),
);
