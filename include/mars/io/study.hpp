// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Studies of the acceleration stack (exploration.hpp) as files.
//
//   study_csv, rejections_csv   a row a cell; a row a reason             for spreadsheets and plots
//   study_json                  everything, schema "mars.study/1"        for programs
//   study_html                  one page with plots, that needs nothing else     for people

#include <mars/io/study/csv.hpp>
#include <mars/io/study/html.hpp>
#include <mars/io/study/json.hpp>
