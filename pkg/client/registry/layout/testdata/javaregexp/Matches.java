// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

// Matches answers for a list of expressions which of a list of names each matches as a whole, or that it is none:
//
//	java Matches.java names.txt < expressions.txt > answers.txt
//
// Each line of the answers is an expression, a tab, and a digit for each name, or "error".

import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.regex.*;

public class Matches {
    public static void main(String[] args) throws Exception {
        List<String> names = Files.readAllLines(Path.of(args[0]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        StringBuilder out = new StringBuilder();
        for (String expression = in.readLine(); expression != null; expression = in.readLine()) {
            out.append(expression).append('\t');
            try {
                for (String name : names) out.append(name.matches(expression) ? '1' : '0');
            } catch (PatternSyntaxException e) {
                out.append("error");
            }
            out.append('\n');
        }
        System.out.write(out.toString().getBytes("UTF-8"));
    }
}
