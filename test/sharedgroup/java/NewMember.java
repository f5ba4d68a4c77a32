// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;

import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A member of a group that brokers coordinate, by Kafka's own KafkaConsumer: nothing is committed before it stands in the
 * ledger. It is spoken to as OldMember is.
 */
public final class NewMember {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final String[] topics;
    private final Path ledger;

    private NewMember(Properties properties, String[] topics, Path ledger) {
        this.consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        this.topics = topics;
        this.ledger = ledger;
    }

    public static void main(String[] args) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        NewMember member = null;
        Thread work = null;
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.trim().split(" ");
            if (words[0].equals("join")) {
                NewMember joined = new NewMember(properties(words), words[2].split(","), Path.of(words[3]));
                member = joined;
                work = new Thread(joined::run);
                work.start();
            } else if (words[0].equals("leave")) {
                break;
            }
        }
        if (member != null) {
            member.consumer.wakeup();
            work.join();
        }
        System.out.println("left");
        System.exit(0);
    }

    private static Properties properties(String[] words) {
        Properties properties = new Properties();
        properties.put("client.id", words[1]);
        properties.put("enable.auto.commit", "false");
        properties.put("auto.offset.reset", "earliest");
        properties.put("session.timeout.ms", "6000");
        properties.put("heartbeat.interval.ms", "1000");
        for (String word : Arrays.asList(words).subList(4, words.length)) {
            int equals = word.indexOf('=');
            properties.put(word.substring(0, equals), word.substring(equals + 1));
        }
        return properties;
    }

    private void run() {
        try (BufferedWriter books = Files.newBufferedWriter(
            ledger, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            consumer.subscribe(Arrays.asList(topics));
            for (;;) {
                write(books, consumer.poll(Duration.ofMillis(200)));
            }
        } catch (WakeupException e) {
            consumer.close();
        } catch (Exception e) { // nothing may be committed that is not in the ledger
            e.printStackTrace();
            Runtime.getRuntime().halt(3);
        }
    }

    private void write(BufferedWriter books, ConsumerRecords<byte[], byte[]> records) throws IOException {
        for (ConsumerRecord<byte[], byte[]> record : records) {
            books.write(record.topic() + " " + record.partition() + " " + record.offset() + " "
                + new String(record.value(), StandardCharsets.UTF_8) + "\n");
        }
        books.flush();
        try {
            if (!records.isEmpty()) {
                consumer.commitSync();
            }
        } catch (CommitFailedException | RebalanceInProgressException e) {
            System.out.println("uncommitted " + e); // others get them again, or this member does
        }
    }
}
