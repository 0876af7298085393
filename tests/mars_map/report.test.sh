# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# report.html in a real browser: the script runs to its end, nothing is reported on the console and the page is drawn.
# sh report.test.sh <mars-map>, in an empty folder. Without Chromium only the files are checked.
set -eu
mars_map=$1

"$mars_map" --model inception_v3 --system aws_f1_16xlarge --search genetic --seed 1 --evaluations 20000 --quiet \
  --report out >/dev/null
for file in report.html trace.json mapping.json graph.dot; do
  test -s "out/$file" || { echo "no out/$file" >&2; exit 1; }
done

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
  echo "skipped: no chromium here"
  exit 0
fi
# Prints the page as it is after its scripts have run; what it says on the console goes to the file $2.
dump() {
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --user-data-dir="$PWD/profile" \
    --enable-logging=stderr --virtual-time-budget=10000 --dump-dom "$1" 2>"$2"
}
if ! dump "data:text/html,<script>document.title='r'+'an'</script>" probe.log | grep -q ran; then
  echo "skipped: chromium does not run here"
  exit 0
fi

dump "file://$PWD/out/report.html" page.log >page.html
if grep CONSOLE page.log >&2; then
  echo "the console should be empty" >&2
  exit 1
fi
grep -q 'data-ready="1"' page.html || { echo "the script did not run to its end" >&2; exit 1; }
grep -q '<g id="bars-0"><path class="c0 bars" d="M' page.html || { echo "no time line" >&2; exit 1; }

# A broken script must not pass.
sed "s/const lanes = /const lanes = undefined_name + /" out/report.html >broken.html
dump "file://$PWD/broken.html" broken.log >broken.out
grep -q CONSOLE broken.log || { echo "a broken script went unnoticed" >&2; exit 1; }
echo "report.html: drawn, console empty"
