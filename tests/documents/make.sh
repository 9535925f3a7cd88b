#!/bin/sh
# Makes the files of folder/ that another program writes, each from its source in sources/.
# Needs LibreOffice Writer, Chromium, pandoc, qpdf, ImageMagick and img2pdf.
# The results are checked in: run this only to change them.
set -eu
cd "$(dirname "$0")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
office() { soffice "-env:UserInstallation=file://$scratch/profile" --headless "$@" >/dev/null; }

office --convert-to pdf --outdir folder sources/cv.fodt
cp sources/travel-log.txt "$scratch/travel-log.txt"
office --infilter="Text (encoded):UTF8" --convert-to pdf:writer_pdf_Export --outdir folder "$scratch/travel-log.txt"
office --infilter="HTML (StarWriter)" --convert-to pdf:writer_pdf_Export --outdir . sources/project-report.html
office --infilter="HTML (StarWriter)" --convert-to "docx:Office Open XML Text" --outdir folder sources/project-report.html
chromium --headless --no-sandbox --disable-gpu --no-pdf-header-footer \
    --user-data-dir="$scratch/chromium" --print-to-pdf=folder/thesis.pdf "file://$PWD/sources/thesis.html" 2>/dev/null
chromium --headless --no-sandbox --disable-gpu --no-pdf-header-footer \
    --user-data-dir="$scratch/chromium" --print-to-pdf=sidebar.pdf "file://$PWD/sources/sidebar.html" 2>/dev/null
pandoc sources/reference-letter.md -o folder/reference-letter.docx
pandoc sources/portfolio.md --standalone --toc -o folder/portfolio.html

# A page that was scanned: a picture without a letter in it.
convert -background white -fill black -font "$(fc-match -f "%{file}" "Liberation Serif")" -pointsize 28 -size 620x400 "label:$(cat sources/scan.txt)" -colorspace gray -alpha off "$scratch/scan.png"
img2pdf "$scratch/scan.png" -o folder/scan.pdf
qpdf --encrypt secret owner 256 -- folder/cv.pdf folder/locked.pdf
# A download that broke off.
head -c 4000 folder/project-report.docx >folder/damaged.docx
